import { setImmediate } from 'node:timers/promises';
import { type Cache, createCache } from 'tidemark';
import { createOperations } from 'tidemark/operations';
import { clocked, paced, type Timed } from './pace.ts';
import type { Question, Row } from './question.ts';
import { chosenUsers, LAST } from './reads.ts';
import { CAPACITY, makeUsers, makeValues, type User, type Value, WARM } from './workload.ts';

/** Reads in one turn of the event loop; see `reads.ts`. */
const TURN = 500;

/** What listens to a cache whose warm hits are read. */
const watchers = {
  'metrics off': (): void => {},
  'metrics on': (cache: Cache): void => void createOperations(cache),
  'metrics on, and a listener to hits': (cache: Cache): void => {
    createOperations(cache);
    let heard = 0;
    cache.on(() => void heard++);
  },
} as const;

type Watcher = keyof typeof watchers;
type Way = 'getOrSet' | 'query' | 'peek';

const WAYS: readonly Way[] = ['getOrSet', 'query', 'peek'];
/** The last one says what metrics spare. */
const rows = [
  ...WAYS.flatMap((way) => (['metrics off', 'metrics on'] as const).map((watcher) => ({ way, watcher }))),
  { way: 'query' as const, watcher: 'metrics on, and a listener to hits' as const },
];

export const question: Question = {
  title: 'Metrics on a hit',
  asks: 'What do metrics add to a hit in memory? 10,000 warm keys, all equally likely, by an awaited `getOrSet`, by an awaited call of a query, and by its synchronous `peek`: with no listener, and with `createOperations(cache)`; and with a listener that wants every hit as an event besides. (A `peek` is never timed: what it differs by is what this measurement cannot tell apart.)',
  unit: 'ns per read',
  rows: rows.map(({ way, watcher }) => hits(way, watcher)),
  against: [],
  // What differs is less than what the compiler makes of the same code from one process to the next.
  repeat: { starts: 12, rounds: 4 },
  targets: [
    {
      promise: 'metrics make a warm hit at most 10 % slower',
      judge(figures) {
        const ratios = WAYS.map((way) => figures.ratio(nameOf(way, 'metrics on'), nameOf(way, 'metrics off')));
        const most = Math.max(...ratios);
        return { figure: ratios.map((it, i) => `${WAYS[i]} ${it.toFixed(2)}x`).join(', '), kept: most <= 1.1 };
      },
    },
  ],
};

function nameOf(way: Way, watcher: Watcher): string {
  return `${way}, ${watcher}`;
}

function hits(way: Way, watcher: Watcher): Row {
  return {
    name: nameOf(way, watcher),
    async prepare(effort) {
      const users = makeUsers(WARM);
      const values = makeValues(WARM);
      const cache = createCache({ name: 'bench', memory: { maxEntries: CAPACITY } });
      const query = cache.query({ name: 'user', load: (id: number) => values[id] as Value });
      const missed = (): never => {
        throw new Error('A warm key was loaded.');
      };
      for (const { id } of users) await query(id);
      watchers[watcher](cache);
      const chosen = chosenUsers(users);
      const timed: Record<Way, Timed> = {
        getOrSet: awaited(chosen, ({ key }) => cache.getOrSet(key, missed)),
        query: awaited(chosen, ({ id }) => query(id)),
        peek: synchronous(chosen, ({ id }) => query.peek(id) ?? missed()),
      };
      return paced(timed[way], effort);
    },
  };
}

function awaited(chosen: readonly User[], read: (user: User) => Promise<Value>): Timed {
  return (count) =>
    clocked(async () => {
      let sum = 0;
      for (let from = 0; from < count; from += TURN) {
        for (let i = from; i < Math.min(count, from + TURN); i++) sum += (await read(chosen[i & LAST] as User)).n;
        await setImmediate();
      }
      return sum;
    });
}

function synchronous(chosen: readonly User[], read: (user: User) => Value): Timed {
  return (count) =>
    clocked(async () => {
      let sum = 0;
      for (let from = 0; from < count; from += TURN) {
        for (let i = from; i < Math.min(count, from + TURN); i++) sum += read(chosen[i & LAST] as User).n;
        await setImmediate();
      }
      return sum;
    });
}
