import { createCache, tag } from 'tidemark';
import { redis } from 'tidemark/redis';
import type { Effort, Question } from './question.ts';
import { inWays } from './redis/concurrency.ts';
import { startServer } from './redis/server.ts';
import { quantile } from './statistics.ts';

const CALLS = 200;

export const question: Question = {
  title: 'A tag on many entries in Redis',
  asks: `What does it cost to invalidate a tag on 10 entries in the store, and on 1,000,000? The median of ${CALLS} awaited calls.`,
  unit: 'µs per call',
  repeat: { starts: 1, rounds: 5 },
  rows: [
    { name: '10 entries', prepare: () => tagged(10) },
    { name: '1,000,000 entries', prepare: ({ million }: Effort) => tagged(million) },
  ],
  against: ['10 entries'],
  targets: [
    {
      promise: 'a tag on 1,000,000 entries in the store takes the time of one (within noise: at most 1.5x)',
      judge: ({ ratio }) => {
        const times = ratio('1,000,000 entries', '10 entries');
        return { figure: `${times.toFixed(2)}x`, kept: times <= 1.5 };
      },
    },
  ],
};

async function tagged(entries: number): Promise<() => Promise<number>> {
  const { url } = await startServer();
  const { lease: _, ...parts } = redis({ url, timeout: '5s' });
  const cache = createCache({ name: 'bench', ...parts, memory: false, requestTimeout: '5s' });
  await cache.ready();
  let stored = 0;
  cache.on((event) => {
    if (event.type === 'stored') stored++;
  });
  await inWays(entries, (i) => cache.getOrSet(['k', i], () => i, { tags: ['all'] }));
  while (stored < entries) await new Promise((resolve) => setImmediate(resolve));
  return async () => {
    const times: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      const since = performance.now();
      await cache.invalidate(tag('all'));
      times.push((performance.now() - since) * 1_000);
    }
    if ((await cache.get(['k', 0])) !== undefined) throw new Error('an entry of the tag is served');
    return quantile(times, 0.5);
  };
}
