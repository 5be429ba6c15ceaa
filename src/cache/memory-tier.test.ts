import { describe, expect, it, vi } from 'vitest';
import { keyLabel } from '../coherence/label.ts';
import { Entry } from './entry.ts';
import { MemoryTier } from './memory-tier.ts';

const entry = (value: unknown, marked: { epoch?: string; mark?: number } = {}): Entry =>
  new Entry(
    { value, epoch: marked.epoch ?? 'e', mark: marked.mark ?? 1, own: keyLabel('k'), set: { labels: [], tags: [] } },
    { bornAt: 0, ttl: 1_000, grace: 0, provenAt: 0 },
  );

function setUp(maxEntries: number, maxBytes = 1_000_000) {
  const evicted = vi.fn();
  return { tier: new MemoryTier({ maxEntries, maxBytes }, false, evicted, (_, it) => it.value === 'covered'), evicted };
}

describe('MemoryTier', () => {
  it('keeps at most so many entries; the least recently used goes first, and is told', () => {
    const { tier, evicted } = setUp(3);
    for (const name of ['a', 'b', 'c']) tier.put(name, entry(name));
    tier.get('a');
    tier.put('d', entry('d'));
    expect(evicted.mock.calls).toEqual([['b', expect.objectContaining({ value: 'b' })]]);
    expect(tier.size).toBe(3);
    expect(tier.get('a')?.value).toBe('a');
  });

  it('keeps at most so many bytes', () => {
    const { tier, evicted } = setUp(1_000, 10_000);
    for (let i = 0; i < 100; i++) tier.put(`k${i}`, entry('x'.repeat(500)));
    expect(tier.bytes).toBeLessThanOrEqual(10_000);
    expect(tier.size).toBeGreaterThan(3);
    expect(evicted).toHaveBeenCalledTimes(100 - tier.size);
  });

  it('does not keep what is larger than all of it, nor what was there before', () => {
    const { tier } = setUp(10, 10_000);
    tier.put('k', entry('small'));
    tier.put('k', entry('x'.repeat(10_000), { mark: 2 }));
    expect(tier.get('k')).toBeUndefined();
    expect(tier.size).toBe(0);
  });

  it.each([
    ['entries', 160, 10_000_000],
    ['bytes', 10_000, 160 * 1_350],
  ])('never evicts what is used all the time, where %s are the bound', (_what, maxEntries, maxBytes) => {
    const { tier } = setUp(maxEntries, maxBytes);
    tier.put('hot', entry('x'.repeat(500)));
    for (let i = 0; i < 2_000; i++) {
      tier.put(`k${i}`, entry('x'.repeat(500)));
      tier.get('hot');
    }
    expect(tier.size).toBeLessThan(200);
    expect(tier.get('hot')?.value).toBeDefined();
  });

  it('never evicts what is used all the time, where a few entries are much larger', () => {
    const { tier } = setUp(10_000, 1_000_000);
    tier.put('hot', entry('x'));
    for (let i = 0; i < 1_000; i++) tier.put(`k${i}`, entry('x'));
    for (let i = 0; i < 100; i++) {
      tier.get('hot');
      tier.put(`large${i}`, entry('x'.repeat(50_000)));
    }
    expect(tier.size).toBeLessThan(15);
    expect(tier.get('hot')?.value).toBe('x');
  });

  it('counts once what is replaced', () => {
    const { tier } = setUp(10);
    tier.put('k', entry('x'.repeat(100), { mark: 1 }));
    const once = tier.bytes;
    tier.put('k', entry('x'.repeat(100), { mark: 2 }));
    expect([tier.size, tier.bytes]).toEqual([1, once]);
  });

  it('keeps the entry that was marked later in the same epoch', () => {
    const { tier } = setUp(10);
    tier.put('k', entry('new', { mark: 2 }));
    tier.put('k', entry('late fill', { mark: 1 }));
    expect(tier.get('k')?.value).toBe('new');
    tier.put('k', entry('same mark', { mark: 2 }));
    expect(tier.get('k')?.value).toBe('same mark');
    tier.put('k', entry('other epoch', { epoch: 'f', mark: 1 }));
    expect(tier.get('k')?.value).toBe('other epoch');
  });

  it('does not let one that is covered keep out one that is not, though it was marked later', () => {
    const { tier } = setUp(10);
    tier.put('k', entry('covered', { mark: 2 }));
    tier.put('k', entry('from the store', { mark: 1 }));
    expect(tier.get('k')?.value).toBe('from the store');
  });

  it('forgets', () => {
    const { tier, evicted } = setUp(10);
    for (const name of ['a', 'b']) tier.put(name, entry(name));
    tier.remove('a');
    expect(tier.get('a')).toBeUndefined();
    tier.clear();
    expect([tier.size, tier.bytes]).toEqual([0, 0]);
    expect(evicted).not.toHaveBeenCalled();
  });

  it('freezes values where it was told to', () => {
    const value = { list: [1] };
    new MemoryTier(
      { maxEntries: 1, maxBytes: 10_000 },
      true,
      () => {},
      () => false,
    ).put('k', entry(value));
    expect(Object.isFrozen(value.list)).toBe(true);
  });
});
