import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Guard } from '../coherence/guards.ts';
import { keyLabel } from '../coherence/label.ts';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog, memoryLog } from '../coherence/memory-log.ts';
import type { Presence } from '../coherence/presence.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { everything, key, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { memoryLease } from '../testing/memory-lease.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { Cache, createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import type { LoadContext } from './load-context.ts';
import { memoryStore } from './memory-store.ts';

// Strict writes as readers see them: what is announced is neither served, nor shared, nor kept, whoever tolerates what; and in
// a young epoch nothing is.

const MAX_LAG = 1_000;
const YOUNG = 2 * (MAX_LAG + 50);
const ID = 'ab'.repeat(16);

/** Nobody else is there. */
const alone: Presence = {
  register: () => Promise.resolve(),
  list: () => Promise.resolve({ id: 'one', longest: MAX_LAG, nodes: [] }),
  remove: () => Promise.resolve(),
};

/** A node that follows its log over connections, and a writer on the log itself. */
async function setUp(options: Partial<CacheOptions> = {}, without: Guard[] = []) {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const server = new MemoryLog(logOptions({ maxLag: MAX_LAG }), { clock, stopwatch: new Stopwatch(clock), random });
  const log = new FaultyLog(server);
  const given = { name: 'test', clock, random, log, check: log, presence: alone, maxLag: MAX_LAG, strict: true };
  const cache = new Cache({ ...given, ...options }, new Set(without));
  const events: CacheEvent[] = [];
  cache.on((event) => void events.push(event));
  made.push(cache);
  const base = { origin: 'other', time: 0, labels: [keyLabel('k')], patterns: [] };
  const announce = async (): Promise<void> => {
    await server.append([{ ...base, kind: 'announce', id: ID }]);
    await clock.advance(1);
  };
  const close = async (): Promise<void> => {
    await server.append([{ ...base, kind: 'close', id: 'cd'.repeat(16), closes: ID }]);
    await clock.advance(1);
  };
  await cache.ready();
  await clock.advance(YOUNG + 1);
  const misses = (): string[] => events.splice(0).flatMap((it) => (it.type === 'miss' ? [it.reason] : []));
  return { clock, server, log, cache, events, misses, announce, close };
}

const made: Cache[] = [];

afterEach(async () => {
  for (const cache of made.splice(0)) await cache.close({ drain: 0 });
});

describe('strict: true', () => {
  it('needs to know the nodes, or a log in this process', async () => {
    const clock = new FakeClock();
    const context = { clock, stopwatch: new Stopwatch(clock), random: Math.random };
    const log = new FaultyLog(new MemoryLog(logOptions(), context));
    expect(() => createCache({ name: 'a', strict: true, log })).toThrow('Give createCache the part `presence`');
    const closed = vi.spyOn(log, 'close');
    expect(() => createCache({ name: 'a', strict: true, log: () => log })).toThrow('strict: ');
    expect(closed).toHaveBeenCalledTimes(1);
    made.push(createCache({ name: 'a', strict: true, log, presence: alone, clock }));
    made.push(createCache({ name: 'a', strict: true, clock }));
    made.push(createCache({ name: 'a', strict: true, clock, log: memoryLog() }));
  });

  it('is what announce() needs', async () => {
    const cache = createCache({ name: 'a', clock: new FakeClock() });
    made.push(cache);
    const refused = cache.announce([key('a')]);
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(refused).rejects.toThrow('createCache({ strict: true })');
  });
});

describe('announce', () => {
  const local = (): Cache => {
    const cache = createCache({ name: 'a', clock: new FakeClock(), strict: true });
    made.push(cache);
    return cache;
  };

  it('withholds until the write is committed, and serves what is loaded after that', async () => {
    const cache = local();
    let row = 'old';
    const read = (): Promise<string> => cache.getOrSet('k', () => row);
    await read();
    const write = await cache.announce([key('k')], { id: ID });
    expect(write.id).toBe(ID);
    expect(cache.status().announced).toBe(1);
    expect(await cache.get('k')).toBeUndefined();
    row = 'new';
    expect(await read()).toBe('new');
    expect(await cache.get('k')).toBeUndefined();
    const receipt = await write.committed();
    expect(receipt).toMatchObject({ status: 'applied', strict: true });
    expect(cache.status().announced).toBe(0);
    await read();
    expect(await cache.get('k')).toBe('new');
    expect(await cache.getOrSet('k', () => 'token', { atLeast: receipt })).toBe('new');
    expect(await write.committed()).toBe(receipt);
  });

  it('tells of the invalidation when it is committed, not before', async () => {
    const cache = local();
    const told: unknown[] = [];
    cache.on((event) => void (event.type === 'invalidated' && told.push(event)));
    const write = await cache.announce([key('k')]);
    expect(told).toEqual([]);
    const receipt = await write.committed({ cause: { event: 'paid' } });
    expect(told).toMatchObject([{ receipt, cause: { event: 'paid' } }]);
  });

  it('frees the store of what is covered, where it keeps track', async () => {
    const removed: unknown[] = [];
    const store = {
      ...memoryStore()({ clock: new FakeClock() }),
      reclaim: (targets: unknown) => {
        removed.push(targets);
        return Promise.resolve(3);
      },
    };
    const cache = createCache({ name: 'a', clock: new FakeClock(), strict: true, store });
    made.push(cache);
    const write = await cache.announce([key('k')]);
    expect(removed).toEqual([]);
    expect(await write.committed()).toMatchObject({ removed: 3, strict: true });
  });

  it('that was rolled back ends, and costs a load', async () => {
    const cache = local();
    await cache.getOrSet('k', () => 1);
    const write = await cache.announce([key('k')]);
    expect(await write.rolledBack()).toMatchObject({ status: 'applied' });
    expect(cache.status().announced).toBe(0);
    expect((await cache.query({ name: 'k', load: () => 2 }).read()).from).toBe('loader');
  });

  it('of which nobody knows how it ended stays open', async () => {
    const cache = local();
    const write = await cache.announce([key('k'), everything()]);
    write.unknown();
    expect(cache.status().announced).toBe(1);
    expect((await write.committed()).strict).toBe(true);
    expect(cache.status().announced).toBe(0);
  });

  it('rejects NOT_CONFIRMED in time, and has closed what it announced', async () => {
    const { clock, cache, log } = await setUp();
    log.stall('append');
    const refused = cache.announce([key('k')], { timeout: '1s' }).catch((error: unknown) => error);
    await clock.advance(1_001);
    expect(await refused).toMatchObject({ code: 'NOT_CONFIRMED' });
    log.mend('append');
    await clock.advance(5_000);
    expect(cache.status()).toMatchObject({ announced: 0, queued: 0, attached: true });
  });

  it('refuses bad input before anything has happened', async () => {
    const cache = local();
    await expect(cache.announce([])).rejects.toMatchObject({ code: 'INVALID_TARGET' });
    await expect(cache.announce(key('k') as never)).rejects.toMatchObject({ code: 'INVALID_TARGET' });
    await expect(cache.announce([key('k')], { id: 'x' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await expect(cache.announce([key('k')], { timeout: 'soon' as never })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
    expect(cache.status().announced).toBe(0);
    const write = await cache.announce([key('k')]);
    await expect(write.committed({ lsn: -1n })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(cache.status().announced).toBe(1);
    expect((await write.committed({ lsn: 1n })).strict).toBe(true);
    await cache.close();
    await expect(cache.announce([key('k')])).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('what is announced', () => {
  it('is not served from memory, by no call', async () => {
    const { cache, announce, misses } = await setUp();
    const query = cache.query({ name: 'k', load: vi.fn(() => 1) });
    await query();
    expect(query.peek()).toBe(1);
    misses();
    await announce();
    expect(query.peek()).toBeUndefined();
    expect([await cache.get('k'), await cache.has('k')]).toEqual([undefined, false]);
    expect((await query.read()).from).toBe('loader');
    expect(misses()).toEqual(['announcement', 'announcement', 'announcement']);
  });

  it('is not served from the store, also not where its server is asked', async () => {
    const store = memoryStore()({ clock: new FakeClock() });
    const { clock, cache, log, announce } = await setUp({ memory: false, store });
    await cache.getOrSet('k', () => 1);
    await clock.advance(0);
    expect(await cache.get('k')).toBe(1);
    await announce();
    expect(await cache.get('k')).toBeUndefined();
    log.cut('follow');
    await clock.advance(1);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('is not kept: neither what was being loaded, nor what is loaded, nor what is set', async () => {
    const store = memoryStore()({ clock: new FakeClock() });
    const set = vi.spyOn(store, 'set');
    const { clock, cache, announce } = await setUp({ store });
    const slow = new Gate<number>();
    const early = cache.getOrSet('k', () => slow.promise);
    const mark = cache.mark();
    await clock.advance(0);
    await announce();
    slow.open(1);
    await early;
    await cache.getOrSet('k', () => 2);
    cache.set('k', 3, { mark });
    cache.set('k', 3, { mark: cache.mark() });
    await clock.advance(0);
    expect(set).not.toHaveBeenCalled();
    expect(cache.status().entries).toBe(0);
  });

  it('is loaded by each who asks, also by who has waited for another’s load', async () => {
    const { clock, cache, announce } = await setUp();
    const slow = new Gate<number>();
    const load = vi.fn(() => slow.promise);
    const reads = [cache.getOrSet('k', load), cache.getOrSet('k', load)];
    await clock.advance(0);
    expect(load).toHaveBeenCalledTimes(1);
    await announce();
    slow.open(1);
    await Promise.all(reads);
    expect(load).toHaveBeenCalledTimes(2);
    const slower = new Gate<number>();
    const again = vi.fn(() => slower.promise);
    const more = [cache.getOrSet('k', again)];
    await clock.advance(0);
    more.push(cache.getOrSet('k', again));
    await clock.advance(0);
    expect(again).toHaveBeenCalledTimes(2);
    slower.open(1);
    await Promise.all(more);
  });

  it('is shared while its load waits for its turn: it begins after all who join', async () => {
    const { clock, cache, announce } = await setUp({ loads: { concurrency: 1 } });
    await announce();
    const busy = new Gate<number>();
    void cache.getOrSet('other', () => busy.promise);
    const load = vi.fn(() => 1);
    const reads = [cache.getOrSet('k', load), cache.getOrSet('k', load)];
    await clock.advance(0);
    busy.open(0);
    await Promise.all(reads);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('is not waited for by way of the fleet’s lease', async () => {
    const clock = new FakeClock();
    const lease = memoryLease()({ clock });
    const store = memoryStore()({ clock });
    const scene = await setUp({ lease, store });
    const asked = vi.spyOn(lease, 'acquire');
    const held = await lease.acquire('k', 60_000);
    expect(held.granted).toBe(true);
    const early = scene.cache.getOrSet('k', () => 1);
    await scene.clock.advance(100);
    await scene.announce();
    await scene.clock.advance(100);
    expect(await early).toBe(1);
    asked.mockClear();
    expect(await scene.cache.getOrSet('k', () => 2)).toBe(2);
    expect(asked).not.toHaveBeenCalled();
  });

  it('sends loaders to the primary, which alone is certain to have it', async () => {
    const { cache, announce, close, server } = await setUp();
    const seen: unknown[] = [];
    const load = (ctx: LoadContext): number => seen.push(ctx.lsn);
    await cache.getOrSet('k', load);
    await announce();
    await cache.getOrSet('k', load);
    await server.append([]);
    await close();
    await cache.getOrSet('k', load);
    expect(seen).toEqual([undefined, 'unknown', undefined]);
  });
});

describe('a tolerance', () => {
  const failing = (): never => {
    throw new Error('down');
  };

  it.each([
    ['maxStaleness', { maxStaleness: '10s' }],
    ['grace', { grace: '10s' }],
    ['a soft timeout', { maxStaleness: '10s', softTimeout: 1 }],
  ] as const)(
    'of %s ends where a strict write begins, and does not come back when it has ended',
    async (_name, options) => {
      const { clock, cache, announce, close } = await setUp();
      const slow = (): Promise<string> =>
        new Promise((_, reject) => clock.schedule(100, () => reject(new Error('down'))));
      const read = async (): Promise<string> => {
        const reading = cache.getOrSet('k', slow, { ...options, timeout: '1s' }).catch(() => 'nothing');
        await clock.advance(200);
        return reading;
      };
      await cache.getOrSet('k', () => 'old');
      await cache.getOrSet('l', () => 'old');
      await announce();
      expect(await read()).toBe('nothing');
      await close();
      expect(await read()).toBe('nothing');
      // Where an ordinary record covers it, it is the reader's own affair.
      await cache.invalidate(key('l'));
      expect(await cache.getOrSet('l', failing, options)).toBe('old');
    },
  );

  it('strictTolerance: without it the old value is served', async () => {
    const { cache, announce } = await setUp({}, ['strictTolerance']);
    await cache.getOrSet('k', () => 'old');
    await announce();
    expect(await cache.getOrSet('k', failing, { maxStaleness: '10s' })).toBe('old');
  });

  it('ends with the proof of a node that is cut off: who announces waits no longer', async () => {
    const { clock, cache, log } = await setUp();
    await cache.getOrSet('k', () => 'old');
    log.cut('follow');
    await clock.advance(MAX_LAG / 2);
    expect(await cache.getOrSet('k', failing, { maxStaleness: '10s' })).toBe('old');
    await clock.advance(MAX_LAG);
    await expect(cache.getOrSet('k', failing, { maxStaleness: '10s' })).rejects.toThrow('down');
  });

  it('of a node that says how long it serves when cut off lasts as long as that', async () => {
    const { clock, cache, log } = await setUp({ whenDetached: { serve: '3s' } });
    await cache.getOrSet('k', () => 'old');
    log.cut('follow');
    await clock.advance(MAX_LAG * 2);
    expect(await cache.getOrSet('k', failing)).toBe('old');
    expect(await cache.getOrSet('k', failing, { maxStaleness: '10s' })).toBe('old');
    await clock.advance(MAX_LAG * 3);
    await expect(cache.getOrSet('k', failing, { maxStaleness: '10s' })).rejects.toThrow('down');
  });

  it('is not had for what comes from another epoch', async () => {
    const { clock, server, cache } = await setUp();
    await cache.getOrSet('k', () => 'old');
    server.beginEpoch();
    await clock.advance(YOUNG + MAX_LAG);
    expect(cache.status().attached).toBe(true);
    await expect(cache.getOrSet('k', failing, { maxStaleness: '1m' })).rejects.toThrow('down');
  });

  it('is not had for what records may have closed that were not seen', async () => {
    const { clock, server, cache, log } = await setUp();
    await cache.getOrSet('k', () => 'old');
    log.cut('follow');
    await cache.invalidate(tag('x'));
    await server.append([{ kind: 'invalidate', id: ID, origin: 'o', labels: [keyLabel('k')], patterns: [], time: 0 }]);
    server.trim(100);
    log.mend('follow');
    await clock.advance(500);
    expect(cache.status().attached).toBe(true);
    await expect(cache.getOrSet('k', failing, { maxStaleness: '10s' })).rejects.toThrow('down');
  });
});

describe('a node that is cut off', () => {
  it('shares no load that began before its reader, however young', async () => {
    const { clock, cache, log } = await setUp();
    log.cut('follow');
    await clock.advance(MAX_LAG + 1);
    const slow = new Gate<number>();
    const load = vi.fn(() => slow.promise);
    const reads = [cache.getOrSet('k', load)];
    await clock.advance(1);
    reads.push(cache.getOrSet('k', load));
    await clock.advance(1);
    expect(load).toHaveBeenCalledTimes(2);
    slow.open(1);
    await Promise.all(reads);
  });

  it('strictJoin: without it it does, as without strict writes', async () => {
    const { clock, cache, log } = await setUp({}, ['strictJoin']);
    log.cut('follow');
    await clock.advance(MAX_LAG + 1);
    const slow = new Gate<number>();
    const load = vi.fn(() => slow.promise);
    const reads = [cache.getOrSet('k', load), cache.getOrSet('k', load)];
    await clock.advance(1);
    expect(load).toHaveBeenCalledTimes(1);
    slow.open(1);
    await Promise.all(reads);
  });
});

describe('a young epoch', () => {
  const young = async (without: Guard[] = []) => {
    const store = memoryStore()({ clock: new FakeClock() });
    const set = vi.spyOn(store, 'set');
    const scene = await setUp({ store }, without);
    scene.server.beginEpoch();
    await scene.clock.advance(MAX_LAG);
    scene.misses();
    return { ...scene, set };
  };

  it('has nothing served, kept or shared for twice maxLag; then everything is as always', async () => {
    const { clock, cache, set, misses } = await young();
    const slow = new Gate<number>();
    const load = vi.fn(() => slow.promise);
    const reads = [cache.getOrSet('k', load)];
    await clock.advance(0);
    reads.push(cache.getOrSet('k', load));
    await clock.advance(0);
    expect(load).toHaveBeenCalledTimes(2);
    slow.open(1);
    await Promise.all(reads);
    cache.set('k', 2, { mark: cache.mark() });
    await clock.advance(0);
    expect([cache.status().entries, set.mock.calls.length]).toEqual([0, 0]);
    await clock.advance(MAX_LAG);
    expect(await cache.get('k')).toBeUndefined();
    await clock.advance(101);
    await cache.getOrSet('k', () => 3);
    expect(await cache.get('k')).toBe(3);
    expect(misses()).toEqual(['absent', 'absent', 'absent', 'absent']);
  });

  it('young: without it everything is as always at once', async () => {
    const { cache } = await young(['young']);
    await cache.getOrSet('k', () => 1);
    expect(await cache.get('k')).toBe(1);
  });

  it('is the first that a node adopts, too', async () => {
    const { server, log, clock, cache } = await setUp();
    expect(server).toBeDefined();
    await cache.getOrSet('k', () => 1);
    const late = createCache({ name: 'late', clock, log, presence: alone, maxLag: MAX_LAG, strict: true });
    made.push(late);
    await late.ready();
    await late.getOrSet('k', () => 1);
    expect(late.status().entries).toBe(0);
    await clock.advance(YOUNG + 1);
    await late.getOrSet('k', () => 1);
    expect(late.status().entries).toBe(1);
  });

  it('is waited for by consistent reads', async () => {
    const { cache, clock } = await young();
    const load = vi.fn(() => 1);
    const query = cache.query({ name: 'q', load });
    const reading = cache.consistent([query.request()]);
    await clock.advance(YOUNG - MAX_LAG - 50);
    expect(load.mock.calls.length).toBe(1);
    await clock.advance(200);
    expect(await reading).toEqual([1]);
    expect(load).toHaveBeenCalledTimes(2);
  });
});

describe('consistent', () => {
  it('waits for a strict write, without loading what it withholds again and again', async () => {
    const { cache, clock, announce, close } = await setUp();
    const load = vi.fn(() => 1);
    const query = cache.query({ name: 'k', load });
    await announce();
    const reading = cache.consistent([query.request()]);
    await clock.advance(2_000);
    expect(load).toHaveBeenCalledTimes(1);
    await close();
    await clock.advance(100);
    expect(await reading).toEqual([1]);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('says what it has waited for in vain', async () => {
    const { cache, clock, announce } = await setUp();
    await announce();
    const query = cache.query({ name: 'k', load: () => 1 });
    const reading = cache.consistent([query.request()], { timeout: 500 }).catch((error: Error) => error.message);
    await clock.advance(600);
    expect(await reading).toContain('a strict write is open');
  });
});
