import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { createCache, tag } from 'tidemark';
import { collectGarbage, consume } from './pace.ts';
import type { Question, Row } from './question.ts';
import { chosenUsers, LAST } from './reads.ts';
import { median } from './statistics.ts';
import { CAPACITY, makeUsers, makeValues, type User, type Value, WARM } from './workload.ts';

/** Reads of one sample: so few that all they allocate fits where new objects go, and nothing has to be collected. */
const READS = 500_000;

/** Reads between two looks at the heap. */
const TOGETHER = 1_000;

/** A warm cache, read in one way. */
interface Subject {
  read(user: User): Promise<Value> | Value | undefined;
  /** Has every entry checked anew at its next read, and none at the one after. */
  change?(): Promise<unknown>;
}

const rules = ['the rule alone, in a peek', 'the rule alone, in an awaited getOrSet'] as const;

export const question: Question = {
  title: 'Garbage of a hit',
  asks: 'How many bytes does a warm read allocate, and the rule within it? The space for new objects is made so large that nothing is collected while 500,000 reads run; counted is what it has grown by in each thousand, and told is the median. For the rule alone an unrelated record is applied, and 1,000 entries are read twice: the first reading applies the rule in full to each, the second finds that nothing has changed, and the figure is the difference.',
  unit: 'bytes per read',
  rows: [
    reading('lru-cache get', bare, allocated),
    reading('Tidemark peek', () => tidemark('peek'), allocated),
    reading('lru-cache get, awaited', bare, allocatedAwaited),
    reading('Tidemark getOrSet, awaited', () => tidemark('getOrSet'), allocatedAwaited),
    checking(rules[0], () => tidemark('peek'), allocated),
    checking(rules[1], () => tidemark('getOrSet'), allocatedAwaited),
  ],
  against: [],
  // Bytes are counted, not timed: they are the same every time.
  repeat: { starts: 1, rounds: 3 },
  nodeOptions: ['--min-semi-space-size=512', '--max-semi-space-size=512'],
  targets: [
    {
      promise: 'the rule check allocates nothing (not one byte for two reads)',
      judge(figures) {
        const most = Math.max(...rules.map((name) => figures.of(name)));
        return { figure: `${Math.abs(most).toFixed(2)} bytes per check`, kept: Math.abs(most) < 0.5 };
      },
    },
  ],
};

type Make = (users: User[]) => Subject | Promise<Subject>;
type Count = typeof allocated | typeof allocatedAwaited;

function reading(name: string, make: Make, count: Count): Row {
  return counted(name, make, (subject, chosen, from) => count(subject, chosen, from));
}

function checking(name: string, make: Make, count: Count): Row {
  return counted(name, make, async (subject, chosen, from) => {
    await subject.change?.();
    const first = await count(subject, chosen, from);
    return first - (await count(subject, chosen, from));
  });
}

function counted(name: string, make: Make, count: (...args: Parameters<Count>) => number | Promise<number>): Row {
  return {
    name,
    async prepare() {
      const users = makeUsers(WARM);
      const chosen = chosenUsers(users);
      const subject = await make(users);
      const sample = async (): Promise<number> => {
        collectGarbage();
        const collections = await watchCollections();
        const thousands: number[] = [];
        for (let from = 0; from < READS; from += TOGETHER) thousands.push(await count(subject, chosen, from));
        await collections.expectNone();
        // The middle one: in a few of them the compiler replaces code, and leaves its own garbage.
        return median(thousands) / TOGETHER;
      };
      // Until everything that runs here is compiled for good.
      for (let i = 0; i < 3; i++) await sample();
      return sample;
    },
  };
}

function allocated({ read }: Subject, chosen: readonly User[], from: number): number {
  let sum = 0;
  const before = used();
  for (let i = from; i < from + TOGETHER; i++) sum += (read(chosen[i & LAST] as User) as Value).n;
  const bytes = used() - before - LOOKING;
  consume(sum);
  return bytes;
}

async function allocatedAwaited({ read }: Subject, chosen: readonly User[], from: number): Promise<number> {
  let sum = 0;
  const before = used();
  for (let i = from; i < from + TOGETHER; i++) sum += ((await read(chosen[i & LAST] as User)) as Value).n;
  const bytes = used() - before - LOOKING;
  consume(sum);
  return bytes;
}

function used(): number {
  return process.memoryUsage().heapUsed;
}

/** What looking at the heap allocates itself, in bytes. */
const LOOKING = ((): number => {
  const before = used();
  for (let i = 0; i < 1_000; i++) used();
  return (used() - before) / 1_001;
})();

async function watchCollections(): Promise<{ expectNone(): Promise<void> }> {
  let seen = 0;
  const observer = new PerformanceObserver((list) => {
    seen += list.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  const delivered = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await setImmediate();
  };
  await delivered();
  seen = 0;
  return {
    async expectNone() {
      await delivered();
      observer.disconnect();
      if (seen > 0) throw new Error('Garbage was collected while it was counted.');
    },
  };
}

function bare(users: readonly User[]): Subject {
  const cache = new LRUCache<string, Value>({ max: CAPACITY });
  const values = makeValues(users.length);
  for (const { key, id } of users) cache.set(key, values[id]);
  return { read: ({ key }) => cache.get(key) };
}

async function tidemark(way: 'peek' | 'getOrSet'): Promise<Subject> {
  const values = makeValues(WARM);
  const cache = createCache({ name: 'bench', memory: { maxEntries: CAPACITY } });
  const load = (id: number): Value => values[id] as Value;
  const query = cache.query({ name: 'user', load });
  for (const { id } of makeUsers(WARM)) await query(id);
  const loader = (): Value => {
    throw new Error('A warm key was loaded.');
  };
  return {
    read: way === 'peek' ? ({ id }) => query.peek(id) : ({ key }) => cache.getOrSet(key, loader),
    change: () => cache.invalidate(tag('unrelated')),
  };
}
