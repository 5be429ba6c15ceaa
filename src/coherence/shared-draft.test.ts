import { describe, expect, it } from 'vitest';
import { keyLabel, tagLabel } from './label.ts';
import { type GrowingDraft, join } from './shared-draft.ts';
import { everything, key, pattern, tag, type Target } from './target.ts';

function draft(some: Partial<GrowingDraft> = {}): GrowingDraft {
  return {
    kind: 'invalidate',
    id: 'a'.repeat(32),
    origin: 'a#1',
    labels: [keyLabel('a')],
    patterns: [],
    time: 1,
    targets: ['key a'],
    ...some,
  };
}

const labels = (count: number): GrowingDraft['labels'] => Array.from({ length: count }, (_, i) => keyLabel(`n${i}`));

describe('join', () => {
  it('adds what targets cover, and how people read them', () => {
    const it = draft();
    expect(join(it, [key('b'), pattern('b*')])).toBe(true);
    expect(join(it, [tag('c'), key('x:y', 1)])).toBe(true);
    expect(it).toEqual({
      ...draft(),
      labels: [keyLabel('a'), keyLabel('b'), tagLabel('c'), keyLabel('x:y:1'), keyLabel('x\\:y:1')],
      patterns: ['b*'],
      targets: ['key a', 'key b', 'pattern b*', 'tag c', 'key x:y:1'],
    });
  });

  it.each<[string, Partial<GrowingDraft>, Target[]]>([
    ['a cause', { cause: {} }, [key('b')]],
    ['a bound of its commit', { lsn: 5n }, [key('b')]],
    ['a doubt', { lsn: 'unknown' }, [key('b')]],
    ['a wish to be confirmed', { confirm: true }, [key('b')]],
    ['another kind', { kind: 'everything', labels: [] }, [key('b')]],
    ['as much as fits', { labels: labels(128) }, [key('b')]],
    ['room for one reading of a key of two', { labels: labels(127) }, [key('x:y', 1)]],
    ['not everything in it', {}, [key('b'), everything()]],
  ])('changes nothing in a draft with %s', (_what, some, targets) => {
    const it = draft(some);
    expect(join(it, targets)).toBe(false);
    expect(it).toEqual(draft(some));
  });

  it('fills a draft to the last label', () => {
    const it = draft({ labels: labels(126) });
    expect(join(it, [key('x:y', 1)])).toBe(true);
    expect(it.labels).toHaveLength(128);
  });
});
