import type { Cache } from '../../src/cache/cache.ts';
import type { Guard } from '../../src/coherence/guards.ts';
import type { AtLeast } from '../../src/coherence/receipt.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Catalogue } from './catalogue.ts';
import type { Counts } from './coverage.ts';
import type { Database } from './database.ts';
import type { DatabaseServer } from './database-server.ts';
import type { Deployment } from './deployment.ts';
import type { History } from './history.ts';
import type { Latency } from './latency.ts';
import type { Plan } from './profile.ts';
import type { OuterGuard } from './server-guards.ts';
import type { ValueServer } from './value-server.ts';

/** Kinds of delays, each with its own distribution. */
export interface Latencies {
  readonly log: Latency;
  readonly follower: Latency;
  readonly firstFollower: Latency;
  readonly values: Latency;
  readonly replication: Latency;
  readonly loaderBefore: Latency;
  readonly loaderAfter: Latency;
  readonly commitReturns: Latency;
  readonly commitTakes: Latency;
  /** Between the commit of a foreign writer in the log and its being visible. */
  readonly commitShows: Latency;
  /** Of the database to a relay, one way. */
  readonly statement: Latency;
  readonly readThink: Latency;
  readonly writeThink: Latency;
}

/** A receipt that readers may carry around. */
export interface Passed {
  readonly write: number;
  readonly token: AtLeast;
}

/** What everybody in one run shares. */
export interface World {
  readonly plan: Plan;
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly counts: Counts;
  readonly catalogue: Catalogue;
  readonly database: Database;
  /** Where relays and foreign writers reach it. */
  readonly server: DatabaseServer;
  readonly deployment: Deployment;
  readonly values: ValueServer;
  readonly latencies: Latencies;
  readonly removed: ReadonlySet<Guard>;
  readonly outer: ReadonlySet<OuterGuard>;
  readonly tokens: Passed[];
  /** Numbers reads, loads, writes and fallbacks, each for itself. */
  readonly numbers: { read: number; load: number; write: number; fallback: number };
  /** What faults do to loaders for a while; `calm` when nothing is to fail any more. */
  readonly loaders: { fails: number; hangs: number; calm: boolean };
  /** Until readers and writers stop. */
  busy: boolean;
  /** Called with each cache that is made, in its process. */
  readonly watch: ((cache: Cache) => void) | undefined;
}
