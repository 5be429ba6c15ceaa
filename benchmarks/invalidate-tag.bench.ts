import { setTimeout } from 'node:timers/promises';
import type { Contender } from './contender.ts';
import { type ContenderName, enter } from './contenders.ts';
import { collectGarbage } from './pace.ts';
import type { Effort, Question, Row } from './question.ts';
import { median } from './statistics.ts';
import { makeUsers, makeValues, type User, type Value } from './workload.ts';

const TAG = 'org:1';
const FEW = 10;

/** Invalidations that the rows with a median make in one sample. */
const CALLS = 1_000;

const first = {
  few: row('Tidemark, 10 entries, first', 'Tidemark getOrSet', few, once),
  million: row('Tidemark, 1,000,000 entries, first', 'Tidemark getOrSet', million, once),
};
const usual = {
  few: row('Tidemark, 10 entries, usual', 'Tidemark getOrSet', few, often),
  million: row('Tidemark, 1,000,000 entries, usual', 'Tidemark getOrSet', million, often),
};

export const question: Question = {
  title: 'Invalidating a tag',
  asks: 'What does it cost to invalidate a tag that 10 or 1,000,000 cached entries carry? The clock runs from the call to its resolved promise; "first" is the first such call after the entries were filled (and after 1,000 calls on a tag that no entry carries), "usual" is the median of 1,000 in a row. Then every entry is read again, and a sample counts only if each of these reads went to the loader.',
  unit: 'µs per call',
  scale: 'log',
  rows: [
    first.few,
    first.million,
    usual.few,
    usual.million,
    row('bentocache, 10 entries, first', 'bentocache', few, once),
    row('bentocache, 100,000 entries, first', 'bentocache', tenth, once),
    row('cacheable, 10 entries, first', 'cacheable', few, once),
    row('cacheable, 100,000 entries, first', 'cacheable', tenth, once),
    row('async-cache-dedupe, 10 entries, first', 'async-cache-dedupe', few, once),
    // Ten times as many would take it twenty seconds a call.
    row('async-cache-dedupe, 10,000 entries, first', 'async-cache-dedupe', () => 10_000, once),
  ],
  against: [first.million.name],
  // Filling a million entries takes seconds.
  repeat: { starts: 1, rounds: 3 },
  targets: [
    {
      promise: 'a tag on 1,000,000 entries costs the same as on 10 (within noise: at most twice)',
      judge(figures) {
        const ratio = figures.ratio(usual.million.name, usual.few.name);
        return { figure: `${ratio.toFixed(2)}x (median of 1,000 calls)`, kept: ratio <= 2 };
      },
    },
    {
      promise: 'under 50 µs on the memory log',
      judge(figures) {
        const worst = Math.max(figures.of(first.million.name), figures.of(usual.million.name));
        return { figure: `${worst.toFixed(1)} µs`, kept: worst < 50 };
      },
    },
  ],
};

function row(name: string, library: ContenderName, size: (effort: Effort) => number, call: typeof once): Row {
  return {
    name,
    async prepare(effort) {
      const warmUp = await tagged(library, FEW, often);
      for (let i = 0; i < 30; i++) await warmUp();
      return tagged(library, size(effort), call);
    },
  };
}

/** A cache of entries that all carry the tag; each sample invalidates it, and fills the cache again by reading. */
async function tagged(library: ContenderName, size: number, call: typeof once): Promise<() => Promise<number>> {
  const users = makeUsers(size);
  const [value] = makeValues(1) as [Value];
  let loads = 0;
  const load = (): Promise<Value> => {
    loads++;
    return Promise.resolve(value);
  };
  // Room for bookkeeping entries: two of these libraries keep tags among the values.
  const contender = await enter(library, { capacity: size * 2 + 100, load, tags: () => [TAG] });
  await readAll(contender, users);
  return async () => {
    loads = 0;
    await readAll(contender, users);
    if (loads > 0) throw new Error(`${library}: ${loads} of ${size} entries were not there to be invalidated.`);
    collectGarbage();
    const ms = await call(contender);
    // Two of these libraries compare times in whole milliseconds, and would take the next fill for an older one.
    await setTimeout(3);
    await readAll(contender, users);
    if (loads !== size) throw new Error(`${library}: ${size - loads} of ${size} entries were served after the call.`);
    return ms * 1_000;
  };
}

async function readAll(contender: Contender, users: readonly User[]): Promise<void> {
  for (const user of users) await contender.read(user);
}

/** After calls on another tag: collecting garbage, and reading a million entries, leave the processor's caches cold. */
async function once({ invalidate }: Contender): Promise<number> {
  for (let i = 0; i < CALLS; i++) await invalidate?.('org:2');
  const since = performance.now();
  await invalidate?.(TAG);
  return performance.now() - since;
}

async function often({ invalidate }: Contender): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < CALLS; i++) {
    const since = performance.now();
    await invalidate?.(TAG);
    took.push(performance.now() - since);
  }
  return median(took);
}

function few(): number {
  return FEW;
}

function tenth(effort: Effort): number {
  return effort.million / 10;
}

function million(effort: Effort): number {
  return effort.million;
}
