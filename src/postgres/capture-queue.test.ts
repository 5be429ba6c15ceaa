import { beforeEach, describe, expect, it } from 'vitest';
import { coverageOf, type Draft } from '../coherence/record.ts';
import { tag } from '../coherence/target.ts';
import { CaptureQueue } from './capture-queue.ts';
import type { CapturedTransaction } from './capture-transaction.ts';
import { parseSnapshot } from './visibility.ts';

const draft = (coverage: Pick<Draft, 'kind' | 'labels' | 'patterns'>, about: Partial<Draft> = {}): Draft => ({
  ...coverage,
  ...{ id: '', origin: 'relay', time: 0 },
  ...about,
});
const seen = new Set<string>();
let direct = 0;
let queue: CaptureQueue;
beforeEach(() => {
  seen.clear();
  direct = 0;
  queue = new CaptureQueue({
    ...{ grace: 20, most: 5, draft, seen: (id) => seen.has(id) },
    direct: (messages) => {
      direct += messages;
    },
  });
});

/** Transaction `xid` with its commit at `xid * 10`. */
const transaction = (xid: number, tags: string[], messages: string[] = []): CapturedTransaction => ({
  ...{ xid, commitLsn: BigInt(xid * 10), endLsn: BigInt(xid * 10 + 5) },
  targets: tags.map(tag),
  messages: messages.map((id) => draft(coverageOf([tag(id)]), { id, targets: [`tag ${id}`], origin: 'writer' })),
});
const look = (snapshot: string, now = 0): void => queue.look(parseSnapshot(snapshot), now);
const said = (drafts: readonly Draft[] | undefined): unknown => drafts?.map(({ targets, lsn }) => [targets, lsn]);

describe('transactions', () => {
  it('wait until they are visible, and are told together, each target once', () => {
    queue.add(transaction(5, ['a', 'b']));
    queue.add(transaction(7, ['b', 'c']));
    queue.add(transaction(6, ['d']));
    expect(queue.take(0)).toBeUndefined();
    look('6:8:6');
    const batch = queue.take(0);
    expect(said(batch?.drafts)).toEqual([[['tag a', 'tag b', 'tag c'], 75n]]);
    expect([batch?.transactions, queue.waiting]).toEqual([2, 1]);
    look('9:9:');
    expect(said(queue.take(0)?.drafts)).toEqual([[['tag d'], 65n]]);
    expect([queue.isWaiting, queue.take(0)]).toEqual([false, undefined]);
  });

  it('are everything if there are too many targets', () => {
    for (let i = 0; i < 6; i++) queue.add(transaction(i, [`t${i}`]));
    look('9:9:');
    expect(queue.take(0)?.drafts).toMatchObject([{ kind: 'everything', lsn: 55n }]);
  });

  it('hold the acknowledgement until they are in the log for certain', () => {
    expect([queue.outstanding, queue.unappended]).toEqual([undefined, undefined]);
    queue.add(transaction(5, ['a']));
    queue.add(transaction(6, ['b']));
    expect(queue.outstanding).toBe(50n);
    look('5:7:5');
    const second = queue.take(0);
    if (second !== undefined) queue.appended(second);
    expect(queue.outstanding).toBe(50n);
    look('9:9:');
    expect(queue.unappended).toBe(50n);
    const first = queue.take(0);
    expect(queue.unappended).toBe(50n);
    if (first !== undefined) queue.appended(first);
    expect([queue.unappended, queue.outstanding]).toEqual([undefined, 50n]);
    if (first !== undefined) queue.done(first);
    expect(queue.outstanding).toBe(60n);
    if (second !== undefined) queue.done(second);
    expect(queue.outstanding).toBeUndefined();
  });
});

describe('messages', () => {
  it('are left to their writers for a moment, from when they are visible', () => {
    queue.add(transaction(5, [], ['m1', 'm2']));
    look('5:6:5', 0);
    expect([queue.held, queue.take(100)]).toEqual([[], undefined]);
    look('9:9:', 100);
    expect([queue.held, queue.dueIn(105), queue.take(105)]).toEqual([['m1', 'm2'], 15, undefined]);
    seen.add('m1');
    const batch = queue.take(120);
    expect(batch?.drafts).toMatchObject([{ id: 'm2', lsn: 55n, origin: 'writer' }]);
    expect([direct, queue.held, queue.dueIn(120)]).toEqual([1, [], undefined]);
  });

  it('hold the acknowledgement, and do not when their writers have appended them', () => {
    queue.add(transaction(5, [], ['m1']));
    look('9:9:');
    expect(queue.outstanding).toBe(50n);
    seen.add('m1');
    expect([queue.take(0), queue.outstanding]).toEqual([undefined, undefined]);
  });

  it('say what was captured of their transaction as well', () => {
    queue.add(transaction(5, ['m1', 'other'], ['m1']));
    look('9:9:');
    expect(said(queue.take(0)?.drafts)).toEqual([[['tag other'], 55n]]);
    expect(queue.held).toEqual(['m1']);
  });

  it('outside a transaction are visible at once', () => {
    queue.add({ ...transaction(5, [], ['m1']), xid: undefined });
    look('3:3:');
    expect(queue.held).toEqual(['m1']);
  });
});
