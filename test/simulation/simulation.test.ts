import { describe, expect, test } from 'vitest';
import { USUAL } from './profile.ts';
import { tell } from './story.ts';
import { tryOut } from './trial.ts';

const SEEDS = 300;

describe('the simulated fleet', () => {
  test(`keeps every promise on ${SEEDS} seeds`, { timeout: 180_000 }, async () => {
    const stories: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations, history } = await tryOut(seed, USUAL);
      const [first] = violations;
      if (first !== undefined) stories.push(`seed ${seed}: ${tell(history.facts, first)}`);
    }
    expect(stories).toEqual([]);
  });

  test('the same seed has the same history, and another seed another', async () => {
    const hashes = [];
    for (const seed of [7, 8, 7]) hashes.push((await tryOut(seed, USUAL)).history.hash());
    expect(hashes[2]).toBe(hashes[0]);
    expect(hashes[1]).not.toBe(hashes[0]);
  });
});
