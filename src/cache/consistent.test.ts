import { describe, expect, it, vi } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { key, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { Gate } from '../testing/gate.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';

/** Two rows that are always written together, and queries that read one each. */
function setUp(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const cache = createCache({ name: 'test', clock, random, ...options });
  const rows = { debit: 1, credit: 1 };
  const debit = cache.query({ name: 'debit', load: vi.fn(() => rows.debit) });
  const credit = cache.query({ name: 'credit', load: vi.fn(async () => rows.credit) });
  const both = () => cache.consistent([debit.request(), credit.request()]);
  return { clock, cache, rows, debit, credit, both };
}

/** A writer on the log itself, and readers on a node that follows it over connections. */
async function setUpRemote() {
  const clock = new FakeClock();
  const random = new SeededRandom(2).next;
  const shared = new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random });
  const link = new FaultyLog(shared);
  const writer = createCache({ name: 'test', clock, random, log: shared });
  const reader = setUp({ clock, random, log: link });
  await reader.cache.ready();
  await clock.advance(0);
  /** From now on each record takes 100 ms to arrive. */
  const delayRecords = async (): Promise<void> => {
    const read = shared.read.bind(shared);
    vi.spyOn(shared, 'read').mockImplementation(async (after, options) => {
      const reading = await read(after, options);
      if (reading.records.length > 0) await new Promise<void>((resolve) => clock.schedule(100, resolve));
      return reading;
    });
    await clock.advance(500);
  };
  return { ...reader, clock, shared, link, writer, delayRecords };
}

describe('consistent', () => {
  it('returns the values of its requests, in order, from memory where it may', async () => {
    const { both, debit } = setUp();
    expect(await both()).toEqual([1, 1]);
    expect(await both()).toEqual([1, 1]);
    expect(debit.peek()).toBe(1);
  });

  it('reads again what a record has covered in between, and only that', async () => {
    const { clock, cache, rows } = setUp();
    const slow = new Gate();
    const loads = { debit: 0, credit: 0 };
    const debit = cache.query({ name: 'a', load: () => (loads.debit++, rows.debit) });
    const credit = cache.query({
      name: 'b',
      load: async () => {
        loads.credit++;
        await slow.promise;
        return rows.credit;
      },
    });
    const read = cache.consistent([debit.request(), credit.request()]);
    await clock.advance(0); // the debit has been read
    rows.debit = 2;
    rows.credit = 2;
    await cache.invalidate(debit.at());
    slow.open();
    expect(await read).toEqual([2, 2]);
    expect(loads).toEqual({ debit: 2, credit: 1 });
  });

  it('judges what another reader loads by its own tags too', async () => {
    const { clock, cache, rows } = setUp();
    const slow = new Gate();
    const tagged = cache.query({ name: 'tagged', load: () => rows.debit, tags: () => ['book'] });
    const late = cache.query({ name: 'late', load: async () => (await slow.promise, rows.credit) });
    const bare = cache.getOrSet('tagged', async () => rows.debit); // without the tag
    const read = cache.consistent([tagged.request(), late.request()]);
    expect(await bare).toBe(1);
    await clock.advance(0);
    rows.debit = 2;
    rows.credit = 2;
    await cache.invalidate(tag('book'));
    slow.open();
    expect(await read).toEqual([2, 2]);
  });

  it('waits until its node has applied the head, which it reads after the last load', async () => {
    const { clock, rows, debit, credit, both, writer, delayRecords } = await setUpRemote();
    await debit();
    expect(debit.peek()).toBe(1);
    await delayRecords();
    rows.debit = 2;
    rows.credit = 2;
    await writer.invalidate(debit.at(), credit.at());
    // A plain read may still show the old debit beside the new credit: both are within maxLag.
    expect([await debit(), await credit()]).toEqual([1, 2]);
    const answers: unknown[] = [];
    void both().then((it) => answers.push(it));
    await clock.advance(99);
    expect(answers).toEqual([]);
    await clock.advance(1);
    expect(answers).toEqual([[2, 2]]);
  });

  it('reads the head after the last load, so that no value is newer than the position', async () => {
    const { clock, cache, rows, debit, writer, delayRecords } = await setUpRemote();
    await debit();
    await delayRecords();
    const slow = new Gate();
    const slowCredit = cache.query({ name: 'slow', load: () => slow.promise.then(() => rows.credit) });
    const read = cache.consistent([debit.request(), slowCredit.request()]);
    await clock.advance(10); // the old debit has been read, from memory
    rows.debit = 2;
    rows.credit = 2;
    await writer.invalidate(debit.at(), slowCredit.at());
    slow.open();
    await clock.advance(200);
    expect(await read).toEqual([2, 2]);
  });

  it('is not content with another epoch than that of the head', async () => {
    const { clock, rows, debit, both, link, shared, writer } = await setUpRemote();
    await writer.close();
    await debit();
    link.stall('follow');
    await clock.advance(500); // the reading under way is answered; the node is attached, and learns nothing more
    rows.debit = 2;
    rows.credit = 2;
    shared.beginEpoch();
    const answers: unknown[] = [];
    void both().then((it) => answers.push(it));
    await clock.advance(100);
    expect(answers).toEqual([]);
    link.mend('follow');
    await clock.advance(4_000);
    expect(answers).toEqual([[2, 2]]);
  });

  it('returns no old values, whatever tolerance its queries have', async () => {
    const { clock, cache, rows } = setUp({ defaults: { maxStaleness: '1h', grace: '1h', softTimeout: 1 } });
    const a = cache.query({ name: 'a', load: () => rows.debit });
    await a();
    rows.debit = 2;
    await cache.invalidate(a.at());
    await clock.advance(10);
    expect(await cache.consistent([a.request()])).toEqual([2]);
    rows.debit = 3;
    await clock.advance(300_000); // expired, and not covered
    expect(await cache.consistent([a.request()])).toEqual([3]);
    const failing = cache.query({ name: 'failing', load: () => Promise.reject(new Error('down')) });
    await cache.getOrSet('failing', () => 1, { ttl: '1s' });
    await clock.advance(1_000);
    await expect(cache.consistent([failing.request()])).rejects.toThrow('down');
  });

  it('fails with what a loader throws', async () => {
    const { cache, debit } = setUp();
    const error = new Error('the database is down');
    const broken = cache.query({ name: 'broken', load: () => Promise.reject(error), grace: '1h' });
    await expect(cache.consistent([debit.request(), broken.request()])).rejects.toBe(error);
  });

  it('gives up after its timeout where records keep covering what it has read', async () => {
    const { clock, cache } = setUp();
    const hot = cache.query({
      name: 'hot',
      load: async () => {
        await new Promise<void>((resolve) => clock.schedule(10, resolve));
        await cache.invalidate(key('hot'));
        return 1;
      },
    });
    await Promise.all([
      expect(cache.consistent([hot.request()], { timeout: '1s' })).rejects.toMatchObject({
        code: 'NOT_CONSISTENT',
        message:
          'No position was found in 1000 ms at which all values are valid: records kept covering what had been read. Read fewer values together, or raise `timeout`.',
      }),
      clock.advance(1_100),
    ]);
  });

  it('gives up after its timeout where the log cannot be asked', async () => {
    const { clock, both, link } = await setUpRemote();
    link.cut('follow');
    await clock.advance(10);
    await Promise.all([
      expect(both()).rejects.toMatchObject({
        code: 'NOT_CONSISTENT',
        message:
          'No position was found in 5000 ms at which all values are valid: the log could not be asked for its head. Read fewer values together, or raise `timeout`.',
      }),
      clock.advance(5_100),
    ]);
  });

  it('gives up after its timeout where a loader hangs, though the load may go on', async () => {
    const { clock, cache } = setUp();
    const slow = new Gate<number>();
    const hanging = cache.query({ name: 'hanging', load: () => slow.promise });
    await Promise.all([
      expect(cache.consistent([hanging.request()], { timeout: '1s' })).rejects.toThrow(
        'No position was found in 1000 ms at which all values are valid: not every value was loaded by then.',
      ),
      clock.advance(1_000),
    ]);
    slow.open(1);
    await clock.advance(0);
    expect(hanging.peek()).toBe(1);
  });

  it('lets the rest of the process go on where loaders cover what they load at once', async () => {
    const { clock, cache } = setUp();
    const load = vi.fn(async () => {
      await cache.invalidate(key('hot'));
      return 1;
    });
    const hot = cache.query({ name: 'hot', load });
    await Promise.all([
      expect(cache.consistent([hot.request()], { timeout: 100 })).rejects.toThrow('records kept covering'),
      clock.advance(100),
    ]);
    expect(load.mock.calls.length).toBeGreaterThan(3);
  });

  it('recovers within its timeout when the log does', async () => {
    const { clock, both, link } = await setUpRemote();
    link.cut('follow');
    await clock.advance(10);
    const read = both();
    await clock.advance(1_000);
    link.mend('follow');
    await clock.advance(2_000);
    expect(await read).toEqual([1, 1]);
  });

  it('ends when the cache is closed meanwhile', async () => {
    const { clock, cache, both, link } = await setUpRemote();
    link.cut('follow');
    await clock.advance(10);
    const read = both();
    await clock.advance(100);
    const closed = cache.close();
    await Promise.all([expect(read).rejects.toMatchObject({ code: 'CLOSED' }), clock.advance(100), closed]);
  });

  it('reads nothing for nothing', async () => {
    const { cache } = setUp();
    expect(await cache.consistent([])).toEqual([]);
  });

  it('goes to the loaders inside bypass', async () => {
    const { cache, rows, both, debit } = setUp();
    await both();
    rows.debit = 2;
    expect(await cache.bypass(both)).toEqual([2, 1]);
    expect(debit.peek()).toBe(1);
  });

  it('refuses a timeout that is none', async () => {
    const { cache } = setUp();
    await expect(cache.consistent([], { timeout: 'soon' as '1s' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});
