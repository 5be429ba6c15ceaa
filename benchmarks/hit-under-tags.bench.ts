import { setImmediate } from 'node:timers/promises';
import { createCache, tag } from 'tidemark';
import { collectGarbage, consume, paced } from './pace.ts';
import type { Question, Row } from './question.ts';
import { awaitedHits, chosenUsers, LAST } from './reads.ts';
import { CAPACITY, makeUsers, makeValues, sourceOf, type User, type Value, WARM } from './workload.ts';

/** Made anew at every read, as it is where a read is written. */
const fiveTags = (): string[] => ['org:7', 'region:north', 'plan:pro', 'role:admin', 'team:42'];

export const question: Question = {
  title: 'A hit under 5 tags, awaited',
  asks: 'What do tags add to a hit? As "a hit in memory", with the same five tags on every entry, given as each library takes them: at the read (Tidemark, bentocache), by a function (Tidemark query), or when the entry is filled (cacheable, async-cache-dedupe). Tidemark remembers that an entry was found uncovered until a record is applied; in the rows "checked anew" an unrelated record is applied before every 1,000 reads, so that nearly every read checks all six labels again.',
  unit: 'ns per read',
  scale: 'log',
  rows: [
    awaitedHits('lru-cache', undefined, 'lru-cache, no tags'),
    awaitedHits('Tidemark getOrSet', undefined, 'Tidemark getOrSet, no tags'),
    awaitedHits('Tidemark getOrSet', fiveTags),
    checkedAnew('Tidemark getOrSet, checked anew'),
    awaitedHits('Tidemark query', fiveTags),
    awaitedHits('bentocache', fiveTags),
    awaitedHits('cacheable', fiveTags),
    awaitedHits('async-cache-dedupe', fiveTags),
  ],
  against: ['Tidemark getOrSet', 'lru-cache, no tags'],
};

/** An unrelated record is applied before each 1,000 reads, off the clock. */
function checkedAnew(name: string): Row {
  return {
    name,
    async prepare(effort) {
      const users = makeUsers(WARM);
      const source = sourceOf(users, makeValues(WARM));
      const cache = createCache({ name: 'bench', memory: { maxEntries: CAPACITY } });
      const read = ({ key }: User): Promise<Value> => cache.getOrSet(key, () => source(key), { tags: fiveTags() });
      for (const user of users) await read(user);
      const chosen = chosenUsers(users);
      return paced(async (count) => {
        collectGarbage();
        let ms = 0;
        let sum = 0;
        for (let i = 0; i < count; i += 1_000) {
          await cache.invalidate(tag(`unrelated:${i % 100}`));
          await setImmediate();
          const since = performance.now();
          for (let j = i; j < i + 1_000 && j < count; j++) sum += (await read(chosen[j & LAST] as User)).n;
          ms += performance.now() - since;
        }
        consume(sum);
        return ms;
      }, effort);
    },
  };
}
