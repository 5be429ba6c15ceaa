import type { Question, Row } from './question.ts';
import { BOTH_TIERS, type RedisContenderName, redisContenders } from './redis/contenders.ts';
import { startServer } from './redis/server.ts';
import { keyOf, makeValues, type Value } from './workload.ts';

/** Longest time that is waited for, in ms. */
const ENOUGH = 10_000;

const others = ['bentocache', 'layered-loader', 'cacheable', 'cache-manager'] as const;

export const question: Question = {
  title: 'Redis is gone',
  asks: `The longest of three calls right after Redis has stopped (SIGSTOP: it accepts, and never answers) or was killed: a read of what is in memory, a read of what is nowhere, and an invalidation. In the libraries' own settings for both tiers; nothing longer than ${ENOUGH / 1_000} s is waited for.`,
  unit: 'ms',
  scale: 'log',
  alone: true,
  repeat: { starts: 1, rounds: 1 },
  rows: (['Tidemark', ...others] as const).flatMap((name) => [gone(name, 'SIGSTOP'), gone(name, 'SIGKILL')]),
  against: [],
  targets: [
    {
      promise: 'with Redis gone for good, a hot read, a miss and an invalidation return within 500 ms',
      judge: ({ of }) => {
        const ms = Math.max(of('Tidemark, stopped'), of('Tidemark, killed'));
        return { figure: `${ms.toFixed(0)} ms`, kept: ms <= 500 };
      },
    },
  ],
};

function gone(name: RedisContenderName, signal: 'SIGSTOP' | 'SIGKILL'): Row {
  return {
    name: `${name}, ${signal === 'SIGSTOP' ? 'stopped' : 'killed'}`,
    async prepare() {
      // What a library throws into the void is not what is asked for here.
      process.on('uncaughtException', () => {});
      process.on('unhandledRejection', () => {});
      const [value] = makeValues(1) as [Value];
      const server = await startServer();
      const load = (): Promise<Value> => Promise.resolve(value);
      const contender = await redisContenders[name]({ server, memory: BOTH_TIERS, load });
      for (let i = 0; i < 100; i++) await contender.read(keyOf(i));
      return async () => {
        server.signal(signal);
        const calls = [
          () => contender.read(keyOf(1)),
          () => contender.read(keyOf(1_000)),
          () => contender.invalidate?.(keyOf(2)),
        ];
        let longest = 0;
        for (const call of calls) longest = Math.max(longest, await timeOf(call));
        return longest;
      };
    },
  };
}

async function timeOf(call: () => Promise<unknown> | undefined): Promise<number> {
  const since = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => {
    timer = setTimeout(resolve, ENOUGH);
  });
  await Promise.race([call()?.catch(() => {}), enough]);
  clearTimeout(timer);
  return performance.now() - since;
}
