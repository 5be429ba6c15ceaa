/** What every library keeps and returns: the same objects for all of them, made once. */
export interface Value {
  readonly n: number;
  readonly name: string;
}

/** What is asked for: a library that takes keys is given the key, one that makes keys of arguments the id. */
export interface User {
  readonly key: string;
  readonly id: number;
}

/** Entries that are warm where hits are measured. */
export const WARM = 10_000;

/** Entries that fit: hits never evict, and fills of new keys do once this is full. */
export const CAPACITY = 20_000;

export const TTL_SECONDS = 300;

export function makeUsers(count: number, from = 0): User[] {
  return Array.from({ length: count }, (_, i) => ({ key: keyOf(from + i), id: from + i }));
}

export const keyOf = (id: number): string => `user:${id}`;

export const idOf = (key: string): number => Number(key.slice(5));

export function makeValues(count: number): Value[] {
  return Array.from({ length: count }, (_, i) => ({ n: i % 7, name: `name ${i}` }));
}

/** A loader that has its values at hand: its promise has resolved already. */
export function sourceOf(users: readonly User[], values: readonly Value[]): (key: string) => Promise<Value> {
  const rows = new Map(users.map(({ key }, i) => [key, values[i] as Value]));
  return (key) => Promise.resolve(rows.get(key) as Value);
}

/** The same numbers in every process, each below `below`, all equally likely (xorshift32, George Marsaglia, 2003). */
export function uniform(count: number, below: number): Uint32Array {
  const numbers = new Uint32Array(count);
  let state = 0x9e3779b9;
  for (let i = 0; i < count; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    numbers[i] = (state >>> 0) % below;
  }
  return numbers;
}
