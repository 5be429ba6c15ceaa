import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { globMatches } from './glob.ts';
import type { Guard } from './guards.ts';
import { entryLabels, keyLabel, sameLabel, tagLabel } from './label.ts';
import { logOptions } from './log-options.ts';
import type { Snapshot } from './log.ts';
import type { LogRecord } from './record.ts';
import { type Marked, View } from './view.ts';

const options = logOptions({ slots: 2 ** 12 });
const EPOCH = 'aaaaaaaaaaaaaaaa';
const OTHER = 'bbbbbbbbbbbbbbbb';

let view: View;
let head: number;

beforeEach(() => {
  view = started();
  head = 0;
});

function started(...removed: Guard[]): View {
  const made = new View(options, new Set(removed));
  made.adopt(snapshot());
  return made;
}

function snapshot(some: Partial<Snapshot> = {}): Snapshot {
  const empty = new View(some.options ?? options);
  empty.epoch = EPOCH;
  return { ...empty.snapshot(some.options ?? options, undefined), ...some };
}

/** The next record. */
function record(some: Partial<LogRecord> = {}): LogRecord {
  const prev = head;
  head = some.number ?? head + 1;
  return {
    kind: 'invalidate',
    id: head.toString(16).padStart(32, '0'),
    origin: 'test#1',
    labels: [],
    patterns: [],
    time: 0,
    prev,
    ...some,
    number: head,
  };
}

function entry(mark: number, key = 'user:42', tags: readonly string[] = ['org:7'], epoch = EPOCH): Marked {
  const [own, ...shared] = entryLabels(key, tags);
  return { epoch, mark, high: own?.high as number, low: own?.low as number, shared };
}

describe('the rule', () => {
  it('serves what no record after its mark covers', () => {
    view.apply(record({ labels: [keyLabel('user:42')] }));
    view.apply(
      record({ labels: [keyLabel('user:43'), tagLabel('org:8'), keyLabel('user:42:posts')], patterns: ['x:*'] }),
    );
    expect(view.cover(entry(1), 'user:42')).toBeUndefined();
  });

  it.each([
    ['its own key', keyLabel('user:42')],
    ['a key above it', keyLabel('user')],
    ['one of its tags', tagLabel('org:7')],
  ])('refuses what a later record covers by %s', (_what, label) => {
    view.apply(record({ labels: [label] }));
    expect(view.cover(entry(0), 'user:42')).toBe('label');
    expect(view.cover(entry(1), 'user:42')).toBeUndefined();
  });

  it('refuses what a later pattern matches, escapes removed', () => {
    view.apply(record({ patterns: ['a:b*'] }));
    expect(view.cover(entry(0, String.raw`a\:b:c`, []), String.raw`a\:b:c`)).toBe('ban');
    expect(view.cover(entry(1, String.raw`a\:b:c`, []), String.raw`a\:b:c`)).toBeUndefined();
    expect(view.cover(entry(0, 'a:c', []), 'a:c')).toBeUndefined();
  });

  it('refuses everything below the floor', () => {
    view.apply(record({ kind: 'everything' }));
    expect(view.cover(entry(0), 'user:42')).toBe('floor');
    expect(view.cover(entry(1), 'user:42')).toBeUndefined();
  });

  it('refuses what is marked in another epoch, however late', () => {
    expect(view.cover(entry(999, 'user:42', [], OTHER), 'user:42')).toBe('epoch');
  });

  it('refuses everything before the first copy', () => {
    expect(new View(options).cover(entry(0, 'user:42', [], ''), 'user:42')).toBe('epoch');
  });

  it.each([Number.NaN, undefined as unknown as number])('refuses a mark of %s', (mark) => {
    expect(view.cover(entry(mark), 'user:42')).toBe('floor');
  });

  it('refuses a missing mark even where the floor is not looked at', () => {
    view = started('floor');
    expect(view.cover(entry(Number.NaN), 'user:42')).toBe('label');
  });

  it('refuses what is queued here, except in a flight that began after it', () => {
    view.pending.add(record({ labels: [tagLabel('org:7')] }));
    expect(view.cover(entry(0), 'user:42')).toBe('queued');
    expect(view.cover(entry(0), 'user:42', view.pending.turn)).toBeUndefined();
    view.pending.leave();
    expect(view.cover(entry(0), 'user:42')).toBeUndefined();
  });

  it('does not test an entry again by a ban that it was tested by', () => {
    view.apply(record({ patterns: ['user:*'] }));
    const tested = view.revision;
    expect(view.cover(entry(0), 'user:42', 0, tested)).toBeUndefined();
    view.apply(record({ patterns: ['user:*'] }));
    expect(view.cover(entry(0), 'user:42', 0, tested)).toBe('ban');
  });

  it('tests an entry by the bans of a copy', () => {
    const tested = view.revision;
    view.adopt(snapshot({ head: 3, bans: [{ number: 2, pattern: 'user:*', time: 0 }] }));
    expect(view.cover(entry(0), 'user:42', 0, tested)).toBe('ban');
  });
});

describe('each guard of the rule', () => {
  const cases: readonly [Guard, (made: View) => void, Marked][] = [
    ['epoch', () => {}, entry(9, 'user:42', [], OTHER)],
    ['floor', (made) => made.apply(record({ kind: 'everything' })), entry(0)],
    ['covered', (made) => made.apply(record({ labels: [keyLabel('user:42')] })), entry(0)],
    ['bans', (made) => made.apply(record({ patterns: ['user:*'] })), entry(0)],
    ['announcements', (made) => made.apply(record({ kind: 'announce', labels: [tagLabel('org:7')] })), entry(1)],
    ['queueCovers', (made) => made.pending.add(record({ labels: [tagLabel('org:7')] })), entry(1)],
    ['bansRetireToFloor', retire, entry(0)],
  ];

  function retire(made: View): void {
    made.apply(record({ patterns: ['user:*'] }));
    made.apply(record({ kind: 'floor', floor: 1 }));
  }

  it.each(cases)('%s: refuses, and would not without it', (guard, happens, it) => {
    for (const removed of [[], [guard]]) {
      head = 0;
      const made = started(...removed);
      happens(made);
      expect(made.cover(it, 'user:42') === undefined).toBe(removed.length > 0);
    }
  });
});

describe('records', () => {
  it('raise the position to their own', () => {
    view.apply(record({ number: 10 }));
    view.apply(record({ number: 25 }));
    expect(view.applied).toBe(25);
  });

  it('never lower the position', () => {
    view.apply(record({ number: 10 }));
    view.apply({ ...record(), number: 9 });
    expect(view.applied).toBe(10);
  });

  it('that raise the floor retire the bans at or below it, and keep refusing what those covered', () => {
    view.apply(record({ patterns: ['user:*'] }));
    view.apply(record({ patterns: ['post:*'] }));
    view.apply(record({ kind: 'floor', floor: 1 }));
    expect(view.bans.list().map((ban) => ban.pattern)).toEqual(['post:*']);
    expect(view.floor).toBe(1);
    expect(view.cover(entry(0), 'user:42')).toBe('floor');
  });

  it('never lower the floor', () => {
    view.apply(record({ kind: 'everything', number: 5 }));
    view.apply(record({ kind: 'floor', floor: 2 }));
    expect(view.floor).toBe(5);
  });

  it('announce: what they name is withheld, not covered, until a record closes it', () => {
    const announced = record({ kind: 'announce', labels: [keyLabel('user')], patterns: ['post:*'] });
    view.apply(announced);
    expect(view.cover(entry(99), 'user:42')).toBe('announcement');
    expect(view.cover(entry(99, 'post:1', []), 'post:1')).toBe('announcement');
    view.apply(record({ kind: 'invalidate', labels: [keyLabel('user')] }));
    expect(view.cover(entry(99), 'user:42')).toBe('announcement');
    view.apply(record({ kind: 'close', closes: announced.id, labels: [keyLabel('user')] }));
    expect(view.cover(entry(2), 'user:42')).toBe('label');
    expect(view.cover(entry(3), 'user:42')).toBeUndefined();
    expect(view.cover(entry(0, 'post:1', []), 'post:1')).toBeUndefined();
  });

  it('of a number that is no position are an error, and change nothing', () => {
    for (const number of [Number.NaN, -1, 1.5, 2 ** 53, Number.POSITIVE_INFINITY]) {
      expect(() => view.apply({ ...record(), number, labels: [keyLabel('user:42')] })).toThrow(
        expect.objectContaining({ code: 'POSITION_OUT_OF_RANGE' }),
      );
    }
    expect(view.applied).toBe(0);
    expect(view.newest(keyLabel('user:42'))).toBe(0);
  });

  it('of every kind raise the revision, or an entry would remember a test that is over', () => {
    const kinds: Partial<LogRecord>[] = [
      { labels: [keyLabel('a')] },
      { patterns: ['a*'] },
      { kind: 'everything' },
      { kind: 'announce', labels: [keyLabel('a')] },
      { kind: 'close', closes: '0' },
      { kind: 'floor', floor: 4 },
    ];
    for (const some of kinds) {
      const before = view.revision;
      view.apply(record(some));
      expect(view.revision).toBeGreaterThan(before);
    }
    const before = view.revision;
    view.adopt(snapshot({ head: 100 }));
    expect(view.revision).toBeGreaterThan(before);
  });
});

describe('an own record, put before the follower has reached it', () => {
  it('covers at once, and leaves the position alone', () => {
    view.apply(record());
    view.put(record({ number: 7, labels: [keyLabel('user:42')], patterns: ['post:*'] }), 7);
    expect(view.applied).toBe(1);
    expect(view.cover(entry(1), 'user:42')).toBe('label');
    expect(view.cover(entry(1, 'post:1', []), 'post:1')).toBe('ban');
    expect(view.cover(entry(7), 'user:42')).toBeUndefined();
  });

  it('of everything raises the floor beyond the position: what is loaded until then is not kept for good', () => {
    view.put(record({ kind: 'everything' }), 7);
    expect(view.applied).toBe(0);
    expect(view.cover(entry(view.applied), 'user:42')).toBe('floor');
  });

  it('stays when a copy of an earlier position is adopted', () => {
    view.put(record({ labels: [keyLabel('user:42')], patterns: ['post:*'] }), 7);
    view.put(record({ kind: 'everything' }), 6);
    view.adopt(snapshot({ head: 3 }));
    expect(view.cover(entry(6), 'user:42')).toBe('label');
    expect(view.cover(entry(6, 'post:1', []), 'post:1')).toBe('ban');
    expect(view.floor).toBe(6);
    expect(view.applied).toBe(3);
  });

  it('is one ban when it arrives again as a record', () => {
    const own = record({ patterns: ['post:*'], time: 5 });
    view.put(own, own.number);
    view.apply({ ...own, time: 6 });
    expect(view.bans.size).toBe(1);
  });
});

describe('a copy of the same epoch', () => {
  it('is joined: labels, bans and floor of both count', () => {
    view.apply(record({ labels: [keyLabel('user:1')], patterns: ['a:*'] }));
    const log = started();
    log.apply({ ...record({ labels: [keyLabel('user:2')], patterns: ['b:*'] }), number: 4 });
    log.apply(record({ kind: 'everything', number: 5 }));
    view.adopt(log.snapshot(options, undefined));
    expect(view.newest(keyLabel('user:1'))).toBe(1);
    expect(view.newest(keyLabel('user:2'))).toBe(4);
    expect(view.floor).toBe(5);
    expect(view.applied).toBe(5);
  });

  it('whose head is behind takes nothing back', () => {
    view.apply(record({ kind: 'everything', number: 8 }));
    view.apply(record({ kind: 'announce', labels: [keyLabel('user')] }));
    view.adopt(snapshot({ head: 5, floor: 2 }));
    expect(view.applied).toBe(9);
    expect(view.floor).toBe(8);
    expect(view.cover(entry(9), 'user:42')).toBe('announcement');
  });

  it('whose head is behind opens no announcement that was closed since', () => {
    const announced = record({ kind: 'announce', labels: [keyLabel('user')] });
    view.apply(announced);
    view.apply(record({ kind: 'close', closes: announced.id }));
    view.adopt(snapshot({ head: 1, announcements: [announced] }));
    expect(view.cover(entry(2), 'user:42')).toBeUndefined();
  });

  it('whose head is ahead decides which announcements are open', () => {
    view.apply(record({ kind: 'announce', labels: [keyLabel('user')] }));
    const opened = { id: 'f'.repeat(32), number: 3, labels: [keyLabel('post')], patterns: [] };
    view.adopt(snapshot({ head: 4, announcements: [opened] }));
    expect(view.cover(entry(4), 'user:42')).toBeUndefined();
    expect(view.cover(entry(4, 'post:1', []), 'post:1')).toBe('announcement');
  });
});

describe('a copy of another epoch', () => {
  it('replaces all that was known', () => {
    view.apply(record({ kind: 'everything', lsn: 9n }));
    view.apply(record({ labels: [keyLabel('user:1')], patterns: ['a:*'] }));
    view.apply(record({ kind: 'announce', labels: [keyLabel('user')] }));
    view.adopt(snapshot({ epoch: OTHER, head: 1 }));
    expect(view).toMatchObject({ epoch: OTHER, applied: 1, floor: 0, lsn: undefined });
    expect([view.bans.size, view.announcements.size, view.newest(keyLabel('user:1'))]).toEqual([0, 0, 0]);
    expect(view.cover(entry(3, 'user:42'), 'user:42')).toBe('epoch');
    expect(view.cover(entry(1, 'user:42', [], OTHER), 'user:42')).toBeUndefined();
  });

  it('keeps what is queued here', () => {
    view.pending.add(record({ labels: [keyLabel('user')] }));
    view.adopt(snapshot({ epoch: OTHER }));
    expect(view.cover(entry(0, 'user:42', [], OTHER), 'user:42')).toBe('queued');
  });

  it('brings the size of the table with it', () => {
    const small = logOptions({ slots: 64, hashes: 2 });
    const log = new View(small);
    log.epoch = OTHER;
    log.apply(record({ labels: [keyLabel('user:1')] }));
    view.adopt(log.snapshot(small, undefined));
    expect(view.newest(keyLabel('user:1'))).toBe(1);
    expect(view.snapshot(small, undefined).table).toHaveLength(64 * 8);
  });

  it.each([
    ['a table of another size', { table: new Uint8Array(8) }],
    ['a table with something that is no number', { table: new Uint8Array(2 ** 15).fill(0xff) }],
    ['impossible options', { options: { ...options, slots: 3 } }],
    ['a head that is no position', { head: 2 ** 53 }],
    ['a floor that is no position', { floor: Number.NaN }],
  ])('with %s is refused, and the old state stays whole', (_what, broken) => {
    view.apply(record({ labels: [keyLabel('user:42')], patterns: ['post:*'] }));
    expect(() => view.adopt(snapshot({ epoch: OTHER, ...broken }))).toThrow(
      expect.objectContaining({ name: 'TidemarkError' }),
    );
    expect(view).toMatchObject({ epoch: EPOCH, applied: 1 });
    expect(view.cover(entry(0), 'user:42')).toBe('label');
    expect(view.cover(entry(0, 'post:1', []), 'post:1')).toBe('ban');
  });
});

describe('the bound of commits', () => {
  it('is the largest that was named: bounds are not read in the order of appends', () => {
    view.apply(record({ lsn: 100n }));
    view.apply(record({ lsn: 90n }));
    view.apply(record());
    expect(view.lsn).toBe(100n);
  });

  it('is unknown once one is, until one was read by somebody who had applied the record in doubt', () => {
    view.apply(record({ lsn: 100n }));
    view.apply(record({ lsn: 'unknown' }));
    const doubtful = view.applied;
    view.apply(record({ lsn: 200n }));
    view.apply(record({ lsn: 300n, lsnAfter: { epoch: view.epoch, number: doubtful - 1 } }));
    view.apply(record({ lsn: 400n, lsnAfter: { epoch: OTHER, number: doubtful + 9 } }));
    expect(view.lsn).toBe('unknown');
    view.apply(record({ lsn: 350n, lsnAfter: { epoch: view.epoch, number: doubtful } }));
    expect(view.lsn).toBe(400n);
  });

  it('counts own records as soon as they are in the own table: a load that begins now must see them', () => {
    view.apply(record({ lsn: 100n }));
    view.put(record({ lsn: 150n }), 7);
    expect(view.lsn).toBe(150n);
    view.put(record({ lsn: 'unknown' }), 8);
    expect(view.lsn).toBe('unknown');
  });

  it('comes with a copy, unless that is behind', () => {
    view.adopt(snapshot({ head: 5, lsn: 50n }));
    expect(view.lsn).toBe(50n);
    view.adopt(snapshot({ head: 3, lsn: 'unknown' }));
    expect(view.lsn).toBe(50n);
    view.adopt(snapshot({ head: 6, lsn: 'unknown' }));
    expect(view.lsn).toBe('unknown');
  });

  it('of an old epoch means nothing in a new one', () => {
    view.adopt(snapshot({ head: 5, lsn: 50n }));
    view.adopt(snapshot({ epoch: OTHER, lsn: 20n }));
    expect(view.lsn).toBe(20n);
  });
});

describe('whoever copies and then follows', () => {
  const keys = ['a', 'a:b', 'a:b:c', 'a:d', 'e'];
  const tags = ['s', 't'];
  const step = fc.record({
    kind: fc.constantFrom(
      'invalidate' as const,
      'invalidate' as const,
      'invalidate' as const,
      'everything' as const,
      'floor' as const,
    ),
    keys: fc.subarray(keys),
    tags: fc.subarray(tags),
    patterns: fc.subarray(['a:*', '*c', '?']),
    gap: fc.integer({ min: 1, max: 3 }),
    back: fc.integer({ min: 0, max: 4 }),
  });

  it('knows exactly what the one knows who followed from the start: no more is covered, and no less', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.nat(12), fc.nat(30), (steps, cut, mark) => {
        let number = 0;
        const records = steps.map((it): LogRecord => {
          const prev = number;
          number += it.gap;
          return {
            kind: it.kind,
            id: String(number).padStart(32, '0'),
            origin: 'test#1',
            labels: [...it.keys.map(keyLabel), ...it.tags.map(tagLabel)],
            patterns: it.patterns,
            floor: Math.max(0, prev - it.back),
            time: 0,
            prev,
            number,
          };
        });
        const all = started();
        const late = started();
        records.forEach((it, i) => {
          all.apply(it);
          if (i + 1 === cut) late.adopt(all.snapshot(options, undefined));
          if (i + 1 > cut) late.apply(it);
        });
        for (const key of keys) {
          for (const some of [[], ['s'], tags]) {
            const it = entry(mark, key, some);
            const expected = records.some((one) => one.number > mark && covers(one, it, key)) || all.floor > mark;
            expect((cut > records.length ? all : late).cover(it, key) === undefined).toBe(!expected);
            expect(all.cover(it, key) === undefined).toBe(!expected);
          }
        }
      }),
    );
  });

  function covers(one: LogRecord, it: Marked, key: string): boolean {
    if (one.kind === 'everything') return true;
    if (one.kind === 'floor') return false;
    const labelled = one.labels.some((label) => [it, ...it.shared].some((other) => sameLabel(label, other)));
    return labelled || one.patterns.some((glob) => globMatches(glob, key));
  }
});
