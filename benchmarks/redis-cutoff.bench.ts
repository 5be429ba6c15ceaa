import { type Cache, createCache, key } from 'tidemark';
import { redis } from 'tidemark/redis';
import type { Effort, Question } from './question.ts';
import { Cable } from './redis/cable.ts';
import { startServer } from './redis/server.ts';

const ENTRIES = 10_000;
const LABELS = 10_000;

export const question: Question = {
  title: 'Back after a million records',
  asks: `A process is cut off while 1,000,000 records pass over ${LABELS} labels, more than the log keeps. How long from its first new connection until it is exact again, and how many of its ${ENTRIES} entries in memory, all still valid, does it serve then without asking anybody?`,
  unit: 'ms, or % of entries',
  repeat: { starts: 1, rounds: 3 },
  rows: [
    { name: 'exact again', prepare: async (effort) => cutOff(effort, ({ ms }) => ms) },
    { name: 'entries lost, %', prepare: async (effort) => cutOff(effort, ({ lost }) => lost) },
  ],
  against: [],
  targets: [
    {
      promise: 'exact again in under 100 ms',
      judge: ({ of }) => ({ figure: `${of('exact again').toFixed(0)} ms`, kept: of('exact again') < 100 }),
    },
    {
      promise: 'at least 95 % of the entries that are still valid are kept',
      judge: ({ of }) => {
        const kept = 100 - of('entries lost, %');
        return { figure: `${kept.toFixed(1)} %`, kept: kept >= 95 };
      },
    },
  ],
};

interface Back {
  readonly ms: number;
  readonly lost: number;
}

async function cutOff({ million }: Effort, figure: (back: Back) => number): Promise<() => Promise<number>> {
  const server = await startServer();
  const cable = new Cable(server.port);
  const follower = createCache({
    name: 'bench',
    ...redis({ url: await cable.open(), history: '1mb' }),
    memory: { maxEntries: 2 * ENTRIES },
    defaults: { ttl: '1h' },
  });
  const writer = createCache({ name: 'bench', ...redis({ url: server.url, history: '1mb' }), maxQueue: 2_000_000 });
  await Promise.all([follower.ready(), writer.ready()]);
  const indexes = Array.from({ length: ENTRIES }, (_, i) => i);
  const entry = follower.query({ name: 'kept', load: (i: number) => i });
  const resyncs: string[] = [];
  follower.on((event) => {
    if (event.type === 'resync') resyncs.push(event.reason);
    if (event.type === 'epoch') resyncs.push('epoch');
  });
  return async () => {
    for (const i of indexes) await entry(i);
    resyncs.length = 0;
    cable.cut();
    await pass(writer, million);
    cable.mend();
    const { position } = writer.status();
    while (follower.status().position !== position || !follower.status().attached)
      await new Promise((resolve) => setImmediate(resolve));
    const ms = performance.now() - cable.joinedAt;
    if (resyncs.length === 0 || resyncs.includes('epoch'))
      throw new Error(`it came back by ${resyncs.join() || 'reading'}`);
    const kept = indexes.filter((i) => entry.peek(i) !== undefined).length;
    return figure({ ms, lost: 100 * (1 - kept / ENTRIES) });
  };
}

/** So many records, each of one of the labels: as many at once as the queue takes. */
async function pass(writer: Cache, records: number): Promise<void> {
  for (let sent = 0; sent < records; ) {
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 5_000 && sent < records; i++, sent++)
      calls.push(writer.invalidate([key('gone', sent % LABELS)], { cause: { event: 'passed' } }));
    await Promise.all(calls);
  }
}
