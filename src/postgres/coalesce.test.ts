import { describe, expect, it } from 'vitest';
import { coverageOf } from '../coherence/record.ts';
import { describeTarget, everything, key, pattern, tag, type Target } from '../coherence/target.ts';
import { beyond, coveragesOf, Pile } from './coalesce.ts';

const texts = (targets: Iterable<Target>): string[] => [...targets].map(describeTarget);

describe('a pile', () => {
  it('keeps each target once', () => {
    const pile = new Pile(10);
    pile.add([tag('a'), key('a'), tag('a'), pattern('a*')]);
    pile.add([tag('a'), key('x:y', 1), key('x', 'y', 1)]);
    // The two readings of the last but one are not those of the last.
    expect(texts(pile.targets())).toEqual(['tag a', 'key a', 'pattern a*', 'key x:y:1', 'key x:y:1']);
  });

  it('becomes everything by a target, or by too many, and says which', () => {
    const full = new Pile(2);
    expect(full.add([tag('a'), tag('b'), tag('a')])).toBe(false);
    expect(full.isEverything).toBe(false);
    expect(full.add([tag('c'), tag('d')])).toBe(true);
    expect(full.add([tag('e')])).toBe(false);
    const said = new Pile(2);
    expect(said.add([tag('a'), everything(), tag('b')])).toBe(false);
    for (const it of [full, said]) expect([texts(it.targets()), it.size]).toEqual([['everything'], 1]);
  });
});

it('many targets are several records, which say all of them', () => {
  const tags = Array.from({ length: 1_234 }, (_, i) => tag(`t${i}`));
  const parts = coveragesOf(tags);
  expect(parts.map(({ labels }) => labels.length)).toEqual([500, 500, 234]);
  expect(parts.flatMap(({ targets }) => targets)).toEqual(tags.map(describeTarget));
  expect(coveragesOf([])).toEqual([]);
  expect(coveragesOf([everything()])).toMatchObject([{ kind: 'everything', targets: ['everything'] }]);
});

describe('beyond what messages cover', () => {
  const message = coverageOf([tag('a'), key('fr:budgets', 'x'), pattern('p*')]);

  it('there is nothing of what they name', () => {
    expect(beyond([tag('a'), key('fr:budgets', 'x'), pattern('p*')], [message])).toEqual([]);
    expect(beyond([tag('a'), tag('b')], [message, coverageOf([tag('b')])])).toEqual([]);
    expect(beyond([everything(), tag('z')], [coverageOf([everything()])])).toEqual([]);
  });

  it('there is everything else', () => {
    const left = [tag('b'), key('a'), key('fr', 'other'), pattern('q*'), everything()];
    expect(beyond(left, [message])).toEqual(left);
    // Both readings have to be covered.
    expect(beyond([key('fr:budgets', 'x')], [coverageOf([key('fr', 'budgets', 'x')])])).toHaveLength(1);
  });
});
