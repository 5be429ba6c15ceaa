import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { keyLabel } from './label.ts';
import { logOptions } from './log-options.ts';
import { MemoryLog, memoryLog } from './memory-log.ts';
import type { PartContext } from './part.ts';
import type { Draft, LogRecord } from './record.ts';
import { Stopwatch } from './stopwatch.ts';

let clock: FakeClock;
let context: PartContext;
let log: MemoryLog;
let epoch: string;

beforeEach(async () => {
  clock = new FakeClock(1_000_000);
  const random = new SeededRandom(7).next;
  context = {
    name: 'test',
    clock,
    stopwatch: new Stopwatch(clock),
    random,
    logger: undefined,
    logOptions: logOptions(),
  };
  log = new MemoryLog(logOptions({ slots: 256, maxLife: '1m' }), context);
  ({ epoch } = await log.snapshot());
});

let made = 0;
function draft(some: Partial<Draft> = {}): Draft {
  const id = (++made).toString(16).padStart(32, '0');
  return { kind: 'invalidate', id, origin: 'test#1', labels: [], patterns: [], time: 5, ...some };
}

async function numbersAfter(number: number, limit = 100): Promise<number[]> {
  const { records } = await log.read({ epoch, number }, { wait: 0, limit });
  return records.map((record) => record.number);
}

describe('append', () => {
  it('numbers the drafts in order, and chains them', async () => {
    await expect(log.append([draft(), draft()])).resolves.toEqual({ epoch, numbers: [1, 2] });
    await expect(log.append([draft()])).resolves.toEqual({ epoch, numbers: [3] });
    const { records, head } = await log.read({ epoch, number: 0 }, { wait: 0, limit: 100 });
    expect(records.map(({ prev, number }) => [prev, number])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(head).toBe(3);
  });

  it('stamps records with its own wall clock, not with the sender’s', async () => {
    await log.append([draft({ time: 5 })]);
    const { records } = await log.read({ epoch, number: 0 }, { wait: 0, limit: 1 });
    expect(records[0]?.time).toBe(1_000_000);
  });

  it('makes the same draft twice two records: a duplicate is harmless, a dropped one is not', async () => {
    const twice = draft();
    await log.append([twice]);
    await log.append([twice]);
    expect(await numbersAfter(0)).toEqual([1, 2]);
  });
});

describe('read', () => {
  it('answers records after a position, at most so many, with the head', async () => {
    await log.append([draft(), draft(), draft()]);
    expect(await numbersAfter(1)).toEqual([2, 3]);
    expect(await numbersAfter(0, 2)).toEqual([1, 2]);
    expect(await numbersAfter(3)).toEqual([]);
  });

  it('answers the head alone where nothing was asked for', async () => {
    await log.append([draft()]);
    await expect(log.read({ epoch, number: 0 }, { wait: 0, limit: 0 })).resolves.toMatchObject({
      head: 1,
      records: [],
    });
  });

  it('answers a reader of another epoch with its own, and no records', async () => {
    await log.append([draft()]);
    const reading = await log.read({ epoch: '', number: 0 }, { wait: 1_000, limit: 10 });
    expect(reading).toMatchObject({ epoch, head: 1, records: [] });
  });

  it('waits for a record', async () => {
    const reading = log.read({ epoch, number: 0 }, { wait: 500, limit: 10 });
    await clock.advance(400);
    await log.append([draft()]);
    await expect(reading).resolves.toMatchObject({ head: 1, records: [{ number: 1 }] });
    expect(clock.timers).toBe(0);
  });

  it('waits no longer than asked, and dates its proof then: it was read then', async () => {
    const reading = log.read({ epoch, number: 0 }, { wait: 500, limit: 10 });
    await clock.advance(500);
    await expect(reading).resolves.toEqual({ epoch, head: 0, records: [], provenAt: context.stopwatch.now() });
  });

  it('begins a new epoch when a reader reports more than it has', async () => {
    await log.append([draft()]);
    const reading = await log.read({ epoch, number: 2 }, { wait: 0, limit: 10 });
    expect(reading.epoch).not.toBe(epoch);
    expect(reading).toMatchObject({ head: 0, records: [] });
  });

  it('lacks what was trimmed: the chain shows it', async () => {
    await log.append([draft(), draft(), draft()]);
    log.trim(2);
    const { records, head } = await log.read({ epoch, number: 0 }, { wait: 0, limit: 10 });
    expect(records.map((record) => record.prev)).toEqual([2]);
    log.trim(3);
    await expect(log.read({ epoch, number: 0 }, { wait: 0, limit: 10 })).resolves.toMatchObject({ head, records: [] });
  });

  it('forgets old records by itself, never the newest ten thousand', async () => {
    await log.append(Array.from({ length: 20_001 }, () => draft()));
    const { records } = await log.read({ epoch, number: 0 }, { wait: 0, limit: 1 });
    expect(records[0]?.number).toBe(10_002);
  });
});

describe('a new epoch', () => {
  it('begins with nothing, and wakes who waits', async () => {
    await log.append([draft({ labels: [keyLabel('a')], patterns: ['a*'] })]);
    const waiting = log.read({ epoch, number: 1 }, { wait: 500, limit: 10 });
    log.beginEpoch();
    const reading = await waiting;
    expect(reading.epoch).not.toBe(epoch);
    expect(reading.head).toBe(0);
    const { newest, bans, floor } = await log.check([keyLabel('a')]);
    expect({ newest, bans, floor }).toEqual({ newest: [0], bans: [], floor: 0 });
  });

  it('does not know what bounds of commits were lost with the old one', async () => {
    expect((await log.snapshot()).lsn).toBeUndefined();
    log.beginEpoch();
    expect((await log.snapshot()).lsn).toBe('unknown');
  });

  it('cannot begin while somebody follows in this process, who would not notice', () => {
    const { detach } = log.attach(() => {});
    expect(() => log.beginEpoch()).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    detach();
    expect(() => log.beginEpoch()).not.toThrow();
  });
});

describe('snapshot and check', () => {
  it('answer the state as of the head', async () => {
    await log.append([draft({ labels: [keyLabel('a')], patterns: ['b*'], lsn: 9n }), draft({ kind: 'everything' })]);
    const announced = draft({ kind: 'announce', labels: [keyLabel('c')] });
    await log.append([announced]);
    const snapshot = await log.snapshot();
    expect(snapshot).toMatchObject({ epoch, head: 3, floor: 2, lsn: 9n, options: log.options, bans: [] });
    expect(snapshot.announcements.map((it) => it.id)).toEqual([announced.id]);
    await expect(log.check([keyLabel('a'), keyLabel('z')])).resolves.toMatchObject({
      epoch,
      head: 3,
      floor: 2,
      newest: [1, 0],
      announcements: [{ id: announced.id }],
      provenAt: 0,
    });
  });

  it('hand out copies', async () => {
    const { table } = await log.snapshot();
    await log.append([draft({ labels: [keyLabel('a')] })]);
    expect(table.every((byte) => byte === 0)).toBe(true);
  });
});

describe('attach', () => {
  it('hands over the state, then each record in the turn of its append', () => {
    void log.append([draft()]);
    const seen: LogRecord[] = [];
    const { snapshot, detach } = log.attach((record) => seen.push(record));
    expect(snapshot).toMatchObject({ epoch, head: 1 });
    void log.append([draft(), draft()]);
    expect(seen.map((record) => record.number)).toEqual([2, 3]);
    detach();
    void log.append([draft()]);
    expect(seen).toHaveLength(2);
  });
});

describe('bans', () => {
  it('retire after maxLife, by a record that raises the floor to them', async () => {
    await log.append([draft({ patterns: ['a*'] })]);
    await clock.advance(30_000);
    await log.append([draft({ patterns: ['b*'] })]);
    await clock.advance(30_001);
    await log.append([draft()]);
    const { records } = await log.read({ epoch, number: 2 }, { wait: 0, limit: 10 });
    expect(records).toMatchObject([
      { kind: 'floor', floor: 1, number: 3, prev: 2 },
      { kind: 'invalidate', number: 4, prev: 3 },
    ]);
    const { bans, floor } = await log.snapshot();
    expect(floor).toBe(1);
    expect(bans.map((ban) => ban.pattern)).toEqual(['b*']);
  });

  it('stay as long as maxLife lasts', async () => {
    await log.append([draft({ patterns: ['a*'] })]);
    await clock.advance(60_000);
    await log.append([draft()]);
    expect((await log.snapshot()).bans).toHaveLength(1);
  });

  it('retire the oldest when there are more than a thousand', async () => {
    const patterns = Array.from({ length: 1_001 }, (_, i) => `p${i}:*`);
    await log.append(patterns.map((it) => draft({ patterns: [it] })));
    expect((await log.snapshot()).bans).toHaveLength(1_001);
    await log.append([draft()]);
    const { bans, floor } = await log.snapshot();
    expect(floor).toBe(1);
    expect(bans.map((ban) => ban.pattern)).toEqual(patterns.slice(1));
  });

  it('retire too early when the clock is set forward: misses, nothing else', async () => {
    await log.append([draft({ patterns: ['a*'] })]);
    clock.setWall(clock.wall() + 3_600_000);
    await log.append([draft()]);
    const { bans, floor } = await log.snapshot();
    expect([bans.length, floor]).toEqual([0, 1]);
  });
});

describe('memoryLog', () => {
  it('is one log for all caches that are given it', () => {
    const part = memoryLog({ slots: 16 });
    const make = (): unknown => (typeof part === 'function' ? part(context) : part);
    expect(make()).toBe(make());
    expect(make()).toMatchObject({ options: { slots: 16, maxLag: 2_000 } });
  });

  it('refuses impossible options before a cache is made', () => {
    expect(() => memoryLog({ maxLag: 1 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });

  it('ends the reads that wait when a cache is closed', async () => {
    const waiting = log.read({ epoch, number: 0 }, { wait: 60_000, limit: 1 });
    await log.close();
    await expect(waiting).resolves.toMatchObject({ records: [] });
    expect(clock.timers).toBe(0);
  });
});
