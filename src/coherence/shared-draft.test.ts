import { describe, expect, it } from 'vitest';
import { keyLabel } from './label.ts';
import type { Draft } from './record.ts';
import { unite } from './shared-draft.ts';

function draft(name: string, some: Partial<Draft> = {}): Draft {
  const id = name.padEnd(32, '0');
  return {
    kind: 'invalidate',
    id,
    origin: 'a#1',
    labels: [keyLabel(name)],
    patterns: [],
    time: 1,
    targets: [`key ${name}`],
    ...some,
  };
}

describe('unite', () => {
  it('covers what both cover, in the place of the first', () => {
    const [a, b, c] = [draft('a'), draft('b', { patterns: ['b*'] }), draft('c')];
    const together = unite(unite(a, b) ?? a, c);
    expect(together).toEqual({
      ...a,
      labels: [keyLabel('a'), keyLabel('b'), keyLabel('c')],
      patterns: ['b*'],
      targets: ['key a', 'key b', 'key c'],
    });
  });

  it('leaves both as they were', () => {
    const [a, b] = [draft('a'), draft('b')];
    unite(a, b);
    expect([a, b]).toEqual([draft('a'), draft('b')]);
  });

  it.each<[string, Partial<Draft>]>([
    ['a cause', { cause: {} }],
    ['a bound of its commit', { lsn: 5n }],
    ['a doubt', { lsn: 'unknown' }],
    ['a wish to be confirmed', { confirm: true }],
    ['another kind', { kind: 'everything', labels: [] }],
    ['more than fits', { labels: Array.from({ length: 128 }, (_, i) => keyLabel(`b${i}`)) }],
  ])('refuses what has %s', (_what, some) => {
    expect(unite(draft('a'), draft('b', some))).toBeUndefined();
    expect(unite(draft('a', some), draft('b'))).toBeUndefined();
  });
});
