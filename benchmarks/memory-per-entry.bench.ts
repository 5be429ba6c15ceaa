import { type ContenderName, enter } from './contenders.ts';
import { settled } from './pace.ts';
import type { Question, Row } from './question.ts';
import { idOf, keyOf, makeValues, type Value } from './workload.ts';

const TIDEMARK = 'Tidemark getOrSet';

export const question: Question = {
  title: 'Memory per entry',
  asks: 'How many bytes does an entry take beyond its value and its key? Values and keys are made first; then the cache is made and filled with 1,000,000 entries by reading them. Entries carry three tags each, shared by all, by 10,000 and by 1,000 entries, where the library has tags. Counted is what the heap and the array buffers have grown by after a collection.',
  unit: 'bytes per entry',
  scale: 'linear',
  rows: [
    filled(TIDEMARK, true),
    filled('Tidemark query', true),
    filled(TIDEMARK, false),
    filled('lru-cache', false),
    filled('layered-loader', false),
    filled('bentocache', true),
    filled('cacheable', true),
    filled('cache-manager', false),
    filled('async-cache-dedupe', true),
  ],
  against: [rowName(TIDEMARK, true), rowName('lru-cache', false)],
  alone: true,
  repeat: { starts: 1, rounds: 1 },
  targets: [
    {
      promise: 'at most 300 bytes beyond the value and the key string, with 3 tags shared by many',
      judge(figures) {
        const most = Math.max(figures.of(rowName(TIDEMARK, true)), figures.of(rowName('Tidemark query', true)));
        return { figure: `${most.toFixed(0)} bytes`, kept: most <= 300 };
      },
    },
  ],
};

function rowName(name: ContenderName, tagged: boolean): string {
  return tagged ? `${name}, 3 tags` : `${name}, no tags`;
}

function filled(name: ContenderName, tagged: boolean): Row {
  return {
    name: rowName(name, tagged),
    prepare: ({ million }) =>
      async function sample() {
        const keys = Array.from({ length: million }, (_, id) => keyOf(id));
        const values = makeValues(million);
        const load = (key: string): Promise<Value> => Promise.resolve(values[idOf(key)] as Value);
        const before = await settled(occupied);
        // A library that keeps its tags among its values needs room for them.
        const capacity = million * (name === 'cacheable' ? 2 : 1) + 2_000;
        const contender = await enter(name, { capacity, load, ...(tagged ? { tags: threeTags } : {}) });
        for (let id = 0; id < million; id++) await contender.read({ key: keys[id] as string, id });
        // Who has made a key of its own is not charged for it: ours goes in exchange.
        keys.fill('');
        const after = await settled(occupied);
        if ((await contender.read({ key: keyOf(0), id: 0 })) !== values[0]) throw new Error(`${name} lost an entry.`);
        return (after - before) / million;
      },
  };
}

function threeTags(key: string): string[] {
  const id = idOf(key);
  return ['all', `org:${id % 100}`, `team:${id % 1_000}`];
}

function occupied(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
