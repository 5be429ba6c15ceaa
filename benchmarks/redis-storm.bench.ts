import { setTimeout } from 'node:timers/promises';
import { createCache, key } from 'tidemark';
import { redis } from 'tidemark/redis';
import type { Question } from './question.ts';
import { Far } from './redis/far.ts';
import { startServer } from './redis/server.ts';
import { quantile } from './statistics.ts';

const RATE = 100_000;
const SECONDS = 2;

export const question: Question = {
  title: 'A storm of invalidations',
  asks: `How far is another process behind while one process makes ${RATE} single calls of invalidate a second, each of another key? From the call to applied there, for the last call in each record. Both processes and the server share two cores.`,
  unit: 'ms behind',
  repeat: { starts: 1, rounds: 3 },
  rows: [
    { name: 'p50', prepare: () => storm(0.5) },
    { name: 'p95', prepare: () => storm(0.95) },
  ],
  against: [],
  targets: [
    {
      promise: '100,000 single invalidations a second, another process less than 10 ms behind (p95)',
      judge: ({ of }) => ({ figure: `${of('p95').toFixed(1)} ms`, kept: of('p95') < 10 }),
    },
  ],
};

async function storm(share: number): Promise<() => Promise<number>> {
  const { url } = await startServer();
  const far = await Far.start('storm', url);
  const cache = createCache({ name: 'bench', ...redis({ url }), maxQueue: 1_000_000 });
  await cache.ready();
  const blow = async (seconds: number): Promise<readonly number[]> => {
    await far.behind();
    const began = performance.now();
    let called = 0;
    let last: Promise<unknown> = Promise.resolve();
    for (let passed = 0; passed < seconds * 1_000; passed = performance.now() - began) {
      const due = Math.floor((passed / 1_000) * RATE);
      for (; called < due; called++) last = cache.invalidate(key('m', String(process.hrtime.bigint())));
      await setTimeout(1);
    }
    await last;
    const rate = called / ((performance.now() - began) / 1_000);
    if (rate < 0.95 * RATE) throw new Error(`${Math.round(rate)} invalidations a second is not ${RATE}.`);
    return far.behind();
  };
  await blow(1);
  await blow(1);
  return async () => quantile(await blow(SECONDS), share);
}
