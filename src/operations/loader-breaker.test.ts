import { beforeEach, describe, expect, it } from 'vitest';
import { type Cache, type CacheEvent, createCache, memoryStore, type Query, type QueryOptions } from '../index.ts';
import { FakeClock, promisesSettled } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { type CircuitBreaker, createBreaker } from './breaker.ts';

let clock: FakeClock;
let cache: Cache;
let other: Cache;
let breaker: CircuitBreaker;
/** What the loaders read: what was asked of it, and whether it is down. */
let source: { down: boolean; asked: string[] };

beforeEach(async () => {
  clock = new FakeClock();
  const store = memoryStore();
  [cache, other] = [createCache({ name: 'test', clock, store }), createCache({ name: 'test', clock, store })];
  breaker = createBreaker({ name: 'source', opens: { inARow: 2 }, clock });
  source = { down: false, asked: [] };
  await Promise.all([cache.ready(), other.ready()]);
});

const down = (): Error => new Error('down');

async function load(id: string): Promise<string> {
  source.asked.push(id);
  if (source.down) throw down();
  return `value of ${id}`;
}

function query(options: Partial<QueryOptions<[id: string], string>> = {}): Query<[id: string], string> {
  return cache.query({ name: 'q', load, breaker, ...options });
}

async function open(q: Query<[id: string], string>): Promise<void> {
  source.down = true;
  await expect(q('x')).rejects.toThrow('down');
  await expect(q('y')).rejects.toThrow('down');
  expect(breaker.state).toBe('open');
  source.asked.length = 0;
}

describe('a loader behind a breaker', () => {
  it('is not asked while it is open: readers fail at once, and hits are hits', async () => {
    const q = query();
    await q('a');
    await open(q);
    await expect(q('b')).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
    expect(await q('a')).toBe('value of a');
    expect(source.asked).toEqual([]);
    expect(breaker.status()).toMatchObject({ refused: 1 });
  });

  it('is asked again when it is back, and what it brings is kept', async () => {
    const q = query();
    await open(q);
    source.down = false;
    await clock.advance(10_000);
    expect(await q('b')).toBe('value of b');
    expect(breaker.state).toBe('closed');
    expect(await q.read('b')).toMatchObject({ from: 'memory' });
  });

  it('leaves it to grace to stand in', async () => {
    const q = query({ ttl: '1s', grace: '1h' });
    await q('a');
    await open(q);
    await clock.advance(1_000);
    expect(await q.read('a')).toMatchObject({ value: 'value of a', stale: true, from: 'memory' });
    expect(source.asked).toEqual([]);
  });

  it('counts a load that takes too long', async () => {
    const q = query({ load: () => new Promise<string>(() => {}), timeout: '1s' });
    for (const id of ['a', 'b']) {
      const read = q(id).catch((error: unknown) => (error as { code: string }).code);
      await clock.advance(1_000);
      expect(await read).toBe('LOAD_TIMEOUT');
    }
    expect(breaker.state).toBe('open');
  });

  it('counts the one call of a batch once', async () => {
    const trips: number[] = [];
    const q = query({
      loadMany: async (args) => {
        trips.push(args.length);
        if (source.down) throw down();
        return args.map(([id]) => `value of ${id}`);
      },
    });
    expect(await q.many([['a'], ['b'], ['c']])).toEqual(['value of a', 'value of b', 'value of c']);
    source.down = true;
    const many = (...ids: string[]): Promise<string[]> => q.many(ids.map((id) => [id]));
    await expect(many('d', 'e', 'f')).rejects.toThrow('down');
    expect(breaker.status()).toMatchObject({ state: 'closed', failures: 1 });
    await expect(many('d', 'e', 'f')).rejects.toThrow('down');
    await expect(many('d', 'e', 'f')).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
    expect(trips).toEqual([3, 3, 3]);
  });

  it('is one of getOrSet, of a cache, and of reads past the cache too', async () => {
    const failing = (): Promise<string> => load('z');
    source.down = true;
    await expect(cache.getOrSet('z', failing, { breaker })).rejects.toThrow('down');
    await expect(query({ mode: 'off' })('z')).rejects.toThrow('down');
    await expect(cache.getOrSet('z', failing, { breaker })).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
    const guarded = createCache({ name: 'guarded', clock, defaults: { breaker } });
    await expect(guarded.getOrSet('z', failing)).rejects.toMatchObject({ code: 'BREAKER_OPEN' });
    await guarded.close();
  });

  it('is refused where it is none', () => {
    expect(() => query({ breaker: { run: true } as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('breaker') }),
    );
    expect(() => query({ fallback: 'none' as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_QUERY', message: expect.stringContaining('fallback') }),
    );
  });
});

describe('the fallback of a query', () => {
  const fallback = (error: unknown, id: string): string =>
    `instead of ${id}: ${(error as { code?: string }).code ?? 'down'}`;

  it('is given to its reader, told from a value, and kept nowhere', async () => {
    const events: CacheEvent[] = [];
    cache.on((event) => events.push(event));
    const q = query({ fallback });
    source.down = true;
    expect(await q.read('a')).toEqual({
      ...{ value: 'instead of a: down', from: 'fallback', stale: false, mark: undefined, age: 0 },
    });
    expect(await q('a')).toBe('instead of a: down');
    expect(await q('a')).toBe('instead of a: BREAKER_OPEN');
    expect(events.filter(({ type }) => type === 'fallback')).toMatchObject([
      { key: 'q:a', query: 'q', error: { message: 'down' } },
      { key: 'q:a' },
      { error: { code: 'BREAKER_OPEN' } },
    ]);
    await clock.advance(1_000);
    expect([q.peek('a'), await cache.get('q:a'), await other.get('q:a')]).toEqual([undefined, undefined, undefined]);
    expect(events.filter(({ type }) => type === 'stored')).toEqual([]);
    source.down = false;
    await clock.advance(10_000);
    expect(await q.read('a')).toMatchObject({ value: 'value of a', from: 'loader' });
  });

  it('is given to nobody else who waits for the same load', async () => {
    const gate = new Gate();
    const failing = async (): Promise<string> => {
      await gate.promise;
      throw down();
    };
    const one = query({ load: failing, fallback });
    const two = one.with({ ttl: '1h' });
    const reads = [one('a'), two('a'), cache.getOrSet('q:a', failing)];
    const all = Promise.allSettled(reads);
    await promisesSettled();
    gate.open();
    expect(await all).toMatchObject([
      { value: 'instead of a: down' },
      { value: 'instead of a: down' },
      { reason: { message: 'down' } },
    ]);
    expect(breaker.status().failures).toBe(1);
  });

  it('comes after an old value that may stand in', async () => {
    const q = query({ ttl: '1s', grace: '1h', fallback });
    await q('a');
    source.down = true;
    await clock.advance(1_000);
    expect(await q.read('a')).toMatchObject({ value: 'value of a', stale: true });
    await cache.invalidate(q.at('a'));
    await clock.advance(3_600_000);
    expect(await q.read('a')).toMatchObject({ from: 'fallback' });
  });

  it('is given past the cache and in shadow mode, where it is compared with nothing', async () => {
    const q = query({ fallback });
    await q('a');
    source.down = true;
    expect(await q.with({ mode: 'off' }).read('a')).toMatchObject({ from: 'fallback' });
    expect(await q.with({ mode: 'shadow' }).read('a')).toMatchObject({ from: 'fallback' });
    expect(q.shadow()).toMatchObject({ same: 0, differed: 0, changed: 0 });
    expect(await q('a')).toBe('value of a');
  });

  it('is given by many, and is no part of what is valid at one position', async () => {
    const q = query({ fallback });
    await q('a');
    source.down = true;
    expect(await q.many([['a'], ['b']])).toEqual(['value of a', 'instead of b: down']);
    await expect(cache.consistent([q.request('a'), q.request('c')])).rejects.toThrow('down');
  });

  it('does not hide that the cache is closed, nor that it fails itself', async () => {
    const q = query({
      fallback: () => {
        throw new Error('of the fallback');
      },
    });
    source.down = true;
    await expect(q('a')).rejects.toThrow('of the fallback');
    await cache.close();
    await expect(q('a')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
