import { describe, expect, test } from 'vitest';
import { Counts } from './coverage.ts';
import { USUAL } from './profile.ts';
import { tell } from './story.ts';
import { tryOut } from './trial.ts';

const SEEDS = 300;

/** Ways by which a value gets to a reader, or a write to the store, that so many seeds must have taken. */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  'store write': [
    'alone',
    'together: 1',
    'together: 2',
    'together: 3',
    'in part: cut',
    'in part: emptied',
    'in part: refused',
  ],
  breaker: ['opened here', 'opened elsewhere', 'refused', 'probing', 'closed', 'board-failed', 'board-back'],
  'while refused': ['memory', 'store', 'fallback', 'unknown'],
  fallback: ['fallback', 'unknown'],
};

describe('the simulated fleet', () => {
  test(`keeps every promise on ${SEEDS} seeds, by every way that a value can take`, { timeout: 180_000 }, async () => {
    const stories: string[] = [];
    const all = new Counts();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, history, counts } = await tryOut(seed, USUAL);
      all.merge(counts.tally());
      const [first] = violations;
      if (first !== undefined) stories.push(`seed ${seed}: ${tell(history.facts, first)}`);
    }
    expect(stories).toEqual([]);
    const tally = all.tally();
    const missed = Object.entries(TAKEN).flatMap(([group, names]) =>
      names.filter((name) => (tally[group]?.[name] ?? 0) === 0).map((name) => `${group}: ${name}`),
    );
    expect(missed).toEqual([]);
  });

  test('the same seed has the same history, and another seed another', async () => {
    const hashes = [];
    for (const seed of [7, 8, 7]) hashes.push((await tryOut(seed, USUAL)).history.hash());
    expect(hashes[2]).toBe(hashes[0]);
    expect(hashes[1]).not.toBe(hashes[0]);
  });
});
