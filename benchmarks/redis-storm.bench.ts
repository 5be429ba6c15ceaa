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
  asks: `How far is another process behind while one process makes ${RATE} single calls of invalidate a second, each of another key? From the call to applied there, for the last call in each record. Both processes and the server share two cores. And how long do 100,000 calls take, until the last is applied at home?`,
  unit: 'ms behind, or s',
  repeat: { starts: 1, rounds: 3 },
  rows: [
    { name: 'p50', prepare: () => storm(({ behind }) => quantile(behind, 0.5)) },
    { name: 'p95', prepare: () => storm(({ behind }) => quantile(behind, 0.95)) },
    { name: 'seconds for 100,000 calls', prepare: () => storm(({ rate }) => 100_000 / rate) },
  ],
  against: [],
  targets: [
    {
      promise: '100,000 single invalidations a second, another process less than 10 ms behind (p95)',
      judge: ({ of }) => {
        const rate = 100_000 / of('seconds for 100,000 calls');
        return {
          figure: `${of('p95').toFixed(1)} ms, at ${Math.round(rate / 1_000)},000 a second`,
          kept: of('p95') < 10 && rate > 0.95 * RATE,
        };
      },
    },
  ],
};

interface Blown {
  readonly behind: readonly number[];
  /** Calls a second, until the last was applied at home. */
  readonly rate: number;
}

async function storm(figure: (blown: Blown) => number): Promise<() => Promise<number>> {
  const { url } = await startServer();
  const far = await Far.start('storm', url);
  const cache = createCache({ name: 'bench', ...redis({ url }), maxQueue: 1_000_000 });
  await cache.ready();
  const blow = async (seconds: number): Promise<Blown> => {
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
    return { behind: await far.behind(), rate };
  };
  // Until everything is compiled, and what has piled up before is through.
  await blow(4);
  await blow(2);
  return async () => figure(await blow(SECONDS));
}
