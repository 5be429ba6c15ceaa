import { clocked, paced } from './pace.ts';
import type { Question, Row } from './question.ts';
import { inWays, steadier } from './redis/concurrency.ts';
import { type RedisContenderName, redisContenders } from './redis/contenders.ts';
import { startServer } from './redis/server.ts';
import { makeUsers, makeValues, sourceOf, uniform, WARM } from './workload.ts';

const others = ['async-cache-dedupe', 'bentocache', 'layered-loader', 'cacheable', 'cache-manager'] as const;

export const question: Question = {
  title: 'A hit in Redis',
  asks: 'What does a read cost that finds its value in Redis, where 64 readers read at once? Memory holds nothing, or one entry where a library cannot do without. The floor is the GET of a bare client, with JSON parsed.',
  unit: 'ns per read',
  scale: 'log',
  rows: (['ioredis', 'Tidemark', ...others] as const).map(hits),
  against: ['ioredis', 'Tidemark'],
  targets: [
    {
      promise: "hits in Redis have at least 0.85x the speed of the bare client's GET",
      judge: ({ ratio }) => {
        const speed = ratio('ioredis', 'Tidemark');
        return { figure: `${speed.toFixed(2)}x`, kept: speed >= 0.85 };
      },
    },
    {
      promise: 'hits in Redis are ahead of every other library',
      judge: ({ ratio }) => {
        const [best, speed] = others
          .map((name) => [name, ratio(name, 'Tidemark')] as const)
          .reduce((a, b) => (b[1] < a[1] ? b : a));
        return { figure: `${speed.toFixed(2)}x the speed of ${best}`, kept: speed >= 1 };
      },
    },
  ],
};

function hits(name: RedisContenderName): Row {
  return {
    name,
    async prepare(effort) {
      const users = makeUsers(WARM);
      const source = sourceOf(users, makeValues(WARM));
      let loads = 0;
      const load = (key: string): ReturnType<typeof source> => {
        loads++;
        return source(key);
      };
      const contender = await redisContenders[name]({ server: await startServer(), memory: 1, load });
      const read = async (i: number): Promise<number> => (await contender.read(users[i]?.key ?? ''))?.n ?? Number.NaN;
      // Until everything is there: a fill is not waited for.
      do {
        loads = 0;
        await inWays(WARM, read);
      } while (loads > 0);
      const order = uniform(100_000, WARM);
      return paced(async (count) => {
        loads = 0;
        const ms = await clocked(() => inWays(count, (i) => read(order[i % order.length] ?? 0)));
        if (loads > 0) throw new Error(`${name}: ${loads} loads for ${count} hits.`);
        return ms;
      }, steadier(effort));
    },
  };
}
