import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { memoryStore } from './memory-store.ts';
import type { Store } from './store.ts';

const one = Uint8Array.from([1]);
const two = Uint8Array.from([2]);

let now: number;
let store: Store;

function open(maxEntries: number): Store {
  const clock = { monotonic: () => now, wall: () => 0, schedule: () => () => {} };
  return memoryStore({ maxEntries })({ clock });
}

beforeEach(() => {
  now = 0;
  store = open(100);
});

describe('memoryStore', () => {
  it('answers in the order of the keys, undefined where there is nothing', async () => {
    await store.set('a', one, 1000);
    await store.set('b', two, 1000);
    expect(await store.getMany(['b', 'x', 'a', 'b'])).toEqual([two, undefined, one, two]);
    expect(await store.getMany([])).toEqual([]);
  });

  it('keeps bytes for their ttl and no longer', async () => {
    await store.set('a', one, 1000);
    now = 999;
    expect(await store.getMany(['a'])).toEqual([one]);
    now = 1000;
    expect(await store.getMany(['a'])).toEqual([undefined]);
  });

  it('replaces bytes and their ttl', async () => {
    await store.set('a', one, 1000);
    now = 500;
    await store.set('a', two, 1000);
    now = 1400;
    expect(await store.getMany(['a'])).toEqual([two]);
  });

  it('keeps nothing for no time', async () => {
    await store.set('a', one, 0);
    expect(await store.getMany(['a'])).toEqual([undefined]);
  });

  it('counts what it removes: only what was still there', async () => {
    await store.set('a', one, 1000);
    await store.set('b', one, 10);
    now = 10;
    expect(await store.remove(['a', 'b', 'x'])).toBe(1);
    expect(await store.getMany(['a', 'b'])).toEqual([undefined, undefined]);
  });

  it('lets the least recently used go when it is full', async () => {
    store = open(2);
    await store.set('a', one, 1000);
    await store.set('b', one, 1000);
    await store.getMany(['a']);
    await store.set('c', one, 1000);
    expect(await store.getMany(['a', 'b', 'c'])).toEqual([one, undefined, one]);
  });

  it('is empty after it was closed', async () => {
    await store.set('a', one, 1000);
    await store.close();
    expect(await store.getMany(['a'])).toEqual([undefined]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s entries', (maxEntries) => {
    expect(() => memoryStore({ maxEntries })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: `memoryStore maxEntries: ${maxEntries} is not a positive integer.`,
      }),
    );
  });

  it('reclaims only when it was told to', () => {
    expect(store).not.toHaveProperty('reclaim');
    expect(memoryStore({ reclaim: 'eager' })({ clock: new FakeClock() })).toHaveProperty('reclaim');
    expect(() => memoryStore({ reclaim: 'often' as never })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: `memoryStore reclaim: "often" is neither 'lazy' nor 'eager'.`,
      }),
    );
  });
});
