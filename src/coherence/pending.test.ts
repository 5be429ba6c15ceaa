import { beforeEach, describe, expect, it } from 'vitest';
import { entryLabels, keyLabel, tagLabel } from './label.ts';
import { Pending } from './pending.ts';
import type { Draft } from './record.ts';

let pending: Pending;

beforeEach(() => {
  pending = new Pending();
});

function draft(some: Partial<Draft>): Draft {
  return { kind: 'invalidate', id: '1'.repeat(32), origin: 'test#1', labels: [], patterns: [], time: 0, ...some };
}

/** Whether an entry of this key and tag `org:7` is covered by what was queued after `turn`. */
function covers(key: string, turn = 0): boolean {
  const [own, ...shared] = entryLabels(key, ['org:7']);
  return own !== undefined && pending.covers(own, shared, key, turn);
}

describe('Pending', () => {
  it('covers nothing while nothing is queued', () => {
    expect(covers('user:42')).toBe(false);
  });

  it.each([
    ['its key', { labels: [keyLabel('user:42')] }],
    ['a key above it', { labels: [keyLabel('user')] }],
    ['its tag', { labels: [tagLabel('org:7')] }],
    ['a pattern', { patterns: ['*:42'] }],
    ['everything', { kind: 'everything' as const }],
  ])('covers an entry by %s, until that has left', (_what, some) => {
    pending.add(draft(some));
    expect(covers('user:42')).toBe(true);
    pending.leave();
    expect(covers('user:42')).toBe(false);
  });

  it('covers nothing else', () => {
    pending.add(draft({ labels: [keyLabel('user:4'), tagLabel('org:8')], patterns: ['user:4'] }));
    expect(covers('user:42')).toBe(false);
  });

  it.each([
    ['labels', { labels: [keyLabel('user:42')] }],
    ['patterns', { patterns: ['user:*'] }],
    ['everything', { kind: 'everything' as const }],
  ])('tells flights apart by turns: what was queued up to a turn was written before (%s)', (_what, some) => {
    pending.add(draft(some));
    const began = pending.turn;
    expect(covers('user:42', began)).toBe(false);
    expect(covers('user:42', began - 1)).toBe(true);
    pending.add(draft(some));
    expect(covers('user:42', began)).toBe(true);
  });

  it('goes on covering while another draft is queued', () => {
    pending.add(draft({ labels: [keyLabel('user:42')] }));
    pending.add(draft({ patterns: ['post:*'] }));
    pending.leave();
    expect(covers('user:42')).toBe(true);
    expect(covers('post:1')).toBe(true);
  });

  it('has forgotten all of it when the last has left', () => {
    pending.add(draft({ kind: 'everything', patterns: ['user:*'], labels: [keyLabel('user')] }));
    pending.leave();
    pending.add(draft({ labels: [keyLabel('post')] }));
    expect(covers('user:42')).toBe(false);
    expect(covers('post:1')).toBe(true);
  });

  it('counts turns on after all have left: a flight from before is covered by what is queued next', () => {
    pending.add(draft({ labels: [keyLabel('user:42')] }));
    const began = pending.turn;
    pending.leave();
    pending.add(draft({ labels: [keyLabel('user:42')] }));
    expect(covers('user:42', began)).toBe(true);
    expect(pending.size).toBe(1);
  });
});
