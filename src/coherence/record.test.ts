import { describe, expect, it } from 'vitest';
import { keyLabel, tagLabel } from './label.ts';
import { coverageOf } from './record.ts';
import { everything, key, pattern, tag } from './target.ts';

describe('coverageOf', () => {
  it('hashes keys and tags, and keeps patterns', () => {
    expect(coverageOf([key('user', 42), tag('org:7'), pattern('a:*'), pattern('b:*')])).toEqual({
      kind: 'invalidate',
      labels: [keyLabel('user:42'), tagLabel('org:7')],
      patterns: ['a:*', 'b:*'],
    });
  });

  it('is everything as soon as one target is', () => {
    expect(coverageOf([key('user', 42), everything(), pattern('a:*')])).toEqual({
      kind: 'everything',
      labels: [],
      patterns: [],
    });
  });

  it('of nothing is nothing', () => {
    expect(coverageOf([])).toEqual({ kind: 'invalidate', labels: [], patterns: [] });
  });
});
