import { type ContenderName, enter } from './contenders.ts';
import { clocked, paced } from './pace.ts';
import type { Question, Row } from './question.ts';
import { CAPACITY, makeUsers, makeValues, type Value } from './workload.ts';

const names = [
  'lru-cache',
  'Tidemark getOrSet',
  'Tidemark query',
  'lru-cache fetch',
  'layered-loader',
  'bentocache',
  'cacheable',
  'cache-manager',
  'async-cache-dedupe',
] as const;

export const question: Question = {
  title: 'A miss and its fill',
  asks: "What does a read of a key that was never seen cost, where the loader's promise has resolved already? The cache is full, so that each fill evicts an entry; keys are made before the clock starts.",
  unit: 'ns per read',
  scale: 'log',
  rows: names.map(misses),
  against: ['Tidemark getOrSet', 'lru-cache'],
};

function misses(name: ContenderName): Row {
  return {
    name,
    async prepare(effort) {
      const [value] = makeValues(1) as [Value];
      let loads = 0;
      const load = (): Promise<Value> => {
        loads++;
        return Promise.resolve(value);
      };
      const contender = await enter(name, { capacity: CAPACITY, load });
      let seen = 0;
      const fill = async (count: number): Promise<number> => {
        const users = makeUsers(count, seen);
        seen += count;
        loads = 0;
        const ms = await clocked(async () => {
          let sum = 0;
          for (const user of users) sum += ((await contender.read(user)) as Value).n;
          return sum;
        });
        if (loads !== count) throw new Error(`${name}: ${loads} loads for ${count} new keys.`);
        return ms;
      };
      await fill(CAPACITY);
      return paced(fill, effort);
    },
  };
}
