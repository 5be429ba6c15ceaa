import { setImmediate } from 'node:timers/promises';
import type { Contender } from './contender.ts';
import { type ContenderName, enter } from './contenders.ts';
import { clocked, consume, paced } from './pace.ts';
import type { Row } from './question.ts';
import { CAPACITY, makeUsers, makeValues, sourceOf, uniform, type User, type Value, WARM } from './workload.ts';

/**
 * Reads in one turn of the event loop. In a loop that never lets it turn, timers would not run, and a library that has
 * one look at the clock for it would look once for all.
 */
const TURN = 500;

type Tags = (key: string) => string[];

/** Awaited reads of warm keys, one after the other, each key as likely as any other. */
export function awaitedHits(name: ContenderName, tags?: Tags, rowName: string = name): Row {
  return {
    name: rowName,
    async prepare(effort) {
      const { contender, users, loads } = await warmed(name, tags);
      const chosen = chosenUsers(users);
      const before = loads();
      return paced(async (count) => {
        const ms = await clocked(async () => {
          let sum = 0;
          for (let from = 0; from < count; from += TURN) {
            const to = Math.min(count, from + TURN);
            for (let i = from; i < to; i++) sum += ((await contender.read(chosen[i & LAST] as User)) as Value).n;
            await setImmediate();
          }
          return sum;
        });
        if (loads() > before) throw new Error(`${name}: ${loads() - before} reads of warm keys went to the loader.`);
        return ms;
      }, effort);
    },
  };
}

/** The same reads without a promise. */
export function synchronousHits(name: ContenderName): Row {
  return {
    name,
    async prepare(effort) {
      const { contender, users } = await warmed(name);
      const { peek } = contender;
      if (peek === undefined) throw new Error(`${name} has no synchronous read.`);
      const chosen = chosenUsers(users);
      return paced(
        (count) =>
          clocked(async () => {
            let sum = 0;
            for (let from = 0; from < count; from += TURN) {
              const to = Math.min(count, from + TURN);
              for (let i = from; i < to; i++) sum += (peek(chosen[i & LAST] as User) as Value).n;
              await setImmediate();
            }
            return sum;
          }),
        effort,
      );
    },
  };
}

/** 10,000 users in a cache that has room for twice as many. */
async function warmed(
  name: ContenderName,
  tags?: Tags,
): Promise<{ contender: Contender; users: User[]; loads: () => number }> {
  const users = makeUsers(WARM);
  const source = sourceOf(users, makeValues(WARM));
  let loads = 0;
  const load = (key: string): Promise<Value> => {
    loads++;
    return source(key);
  };
  const contender = await enter(name, { capacity: CAPACITY, load, ...(tags === undefined ? {} : { tags }) });
  for (const user of users) consume((await contender.read(user))?.n ?? Number.NaN);
  return { contender, users, loads: () => loads };
}

/** Index of the last of the users that are read, over and over; one less than a power of two. */
export const LAST = 0xffff;

/** Users in the order in which they are read. */
export function chosenUsers(users: readonly User[]): User[] {
  return Array.from(uniform(LAST + 1, users.length), (i) => users[i] as User);
}
