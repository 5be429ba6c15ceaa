import { clocked, paced } from './pace.ts';
import type { Question, Row } from './question.ts';
import { inWays, steadier } from './redis/concurrency.ts';
import { BOTH_TIERS, type RedisContenderName, redisContenders } from './redis/contenders.ts';
import { startServer } from './redis/server.ts';
import { keyOf, makeValues, type Value } from './workload.ts';

const others = ['bentocache', 'layered-loader', 'cacheable', 'cache-manager'] as const;

export const question: Question = {
  title: 'A miss in both tiers, and its fill',
  asks: "What does a read of a key cost that neither memory nor Redis has, where 64 readers read at once and the loader's promise has resolved already? Only libraries that keep both tiers; the bare client has Redis alone.",
  unit: 'ns per read',
  scale: 'log',
  rows: (['ioredis', 'Tidemark without lease', 'Tidemark', ...others] as const).map(misses),
  against: ['Tidemark without lease'],
  targets: [
    {
      promise:
        'a miss and its fill is at least 1.2x as fast as in the best other library with two tiers (without lease)',
      judge: ({ ratio }) => {
        const [best, speed] = others
          .map((name) => [name, ratio(name, 'Tidemark without lease')] as const)
          .reduce((a, b) => (b[1] < a[1] ? b : a));
        return { figure: `${speed.toFixed(2)}x the speed of ${best}`, kept: speed >= 1.2 };
      },
    },
  ],
};

function misses(name: RedisContenderName): Row {
  return {
    name,
    async prepare(effort) {
      const [value] = makeValues(1) as [Value];
      let loads = 0;
      const load = (): Promise<Value> => {
        loads++;
        return Promise.resolve(value);
      };
      const contender = await redisContenders[name]({ server: await startServer(), memory: BOTH_TIERS, load });
      let seen = 0;
      return paced(async (count) => {
        loads = 0;
        const from = seen;
        seen += count;
        const ms = await clocked(() =>
          inWays(count, async (i) => (await contender.read(keyOf(from + i)))?.n ?? Number.NaN),
        );
        if (loads !== count) throw new Error(`${name}: ${loads} loads for ${count} new keys.`);
        return ms;
      }, steadier(effort));
    },
  };
}
