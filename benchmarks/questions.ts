import { question as allocation } from './allocation.bench.ts';
import { question as applyRecords } from './apply-records.bench.ts';
import { question as falseCovers } from './false-covers.bench.ts';
import { question as hitAwaited } from './hit-awaited.bench.ts';
import { question as hitSynchronous } from './hit-synchronous.bench.ts';
import { question as hitUnderTags } from './hit-under-tags.bench.ts';
import { question as invalidateTag } from './invalidate-tag.bench.ts';
import { question as memoryFixed } from './memory-fixed.bench.ts';
import { question as memoryPerEntry } from './memory-per-entry.bench.ts';
import { question as metrics } from './metrics.bench.ts';
import { question as missAndFill } from './miss-and-fill.bench.ts';
import { question as postgresTransaction } from './postgres-transaction.bench.ts';
import { question as postgresTransactions } from './postgres-transactions.bench.ts';
import type { Question } from './question.ts';
import { question as redisCommands } from './redis-commands.bench.ts';
import { question as redisCutOff } from './redis-cutoff.bench.ts';
import { question as redisGone } from './redis-gone.bench.ts';
import { question as redisHit } from './redis-hit.bench.ts';
import { question as redisLatency } from './redis-latency.bench.ts';
import { question as redisMiss } from './redis-miss.bench.ts';
import { question as redisStorm } from './redis-storm.bench.ts';
import { question as redisTag } from './redis-tag.bench.ts';

/** In the order in which they are asked and told, by the name of their file. */
export const questions: Readonly<Record<string, Question>> = {
  'hit-awaited': hitAwaited,
  'hit-synchronous': hitSynchronous,
  'hit-under-tags': hitUnderTags,
  metrics,
  'miss-and-fill': missAndFill,
  'invalidate-tag': invalidateTag,
  'apply-records': applyRecords,
  'memory-per-entry': memoryPerEntry,
  'memory-fixed': memoryFixed,
  allocation,
  'false-covers': falseCovers,
  'redis-latency': redisLatency,
  'redis-hit': redisHit,
  'redis-miss': redisMiss,
  'redis-commands': redisCommands,
  'redis-storm': redisStorm,
  'redis-tag': redisTag,
  'redis-cutoff': redisCutOff,
  'redis-gone': redisGone,
  'postgres-transaction': postgresTransaction,
  'postgres-transactions': postgresTransactions,
};
