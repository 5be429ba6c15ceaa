import { describe, expect, test } from 'vitest';
import { addCounts, type SampleCounts } from '../../src/operations/sample-counts.ts';
import { Sampler } from '../../src/operations/sampler.ts';
import { samplerSettings } from '../../src/operations/sampler-options.ts';
import { check } from './checker.ts';
import { type Profile, USUAL } from './profile.ts';
import { simulate } from './simulation.ts';

/**
 * Every change is invalidated in the end: nobody dies between a commit and its record, and nobody changes rows who tells nobody. The
 * run is long enough for the last look, which comes after the longest time that a writer is cut off.
 */
const TOLD: Profile = {
  ...USUAL,
  name: 'sampled',
  length: 18,
  faults: { ...USUAL.faults, kill: 0 },
  outbox: 0,
  capture: 0,
  commitsLost: 0,
  memory: [1_000],
};

/** Hardly anything is written, and nothing fails: what nobody invalidates stays so. */
const QUIET: Profile = {
  ...TOLD,
  name: 'sampled quietly',
  writers: [1, 1],
  writeThink: { usual: [20_000, 30_000], slow: [20_000, 30_000], chance: 0 },
  sets: 0,
  faultCount: [0, 0],
};

const SETTINGS = samplerSettings({ loads: 200, recheck: ['300ms', '1s', '5s'], only: ['row'] });

const SEEDS = Number(process.env['SAMPLER_SEEDS'] ?? 20);

/** @param planted when every row is changed past everything, in ms: only the sampler is asked what it has found */
async function sampled(seed: number, planted?: number): Promise<{ counts: SampleCounts; broken: readonly string[] }> {
  const samplers: Sampler[] = [];
  const { history } = await simulate(seed, {
    profile: planted === undefined ? TOLD : QUIET,
    watch: (cache) => void samplers.push(new Sampler(cache, SETTINGS, () => [])),
    ...(planted === undefined ? {} : { planted }),
  });
  const reports = samplers.map((it) => it.report());
  for (const it of samplers) it.close();
  const broken = planted === undefined ? check(history.facts).map(({ text }) => `seed ${seed}: ${text}`) : [];
  for (const { violations } of reports)
    for (const it of violations) if (it.kind === 'violation') broken.push(`seed ${seed}: ${it.message}`);
  return { counts: addCounts(reports.map(({ counts }) => counts)), broken };
}

describe('the sampler, in a simulated fleet', () => {
  test(`harms nothing, and accuses nobody wrongly, on ${SEEDS} seeds`, { timeout: 3_600_000 }, async () => {
    const all: SampleCounts[] = [];
    const broken: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = await sampled(seed);
      all.push(run.counts);
      broken.push(...run.broken);
    }
    expect(broken).toEqual([]);
    const counts = addCounts(all);
    if (process.env['SAMPLER_SEEDS'] !== undefined) process.stdout.write(`${JSON.stringify(counts)}\n`);
    expect(counts.same).toBeGreaterThan(SEEDS);
    expect(counts.within100ms + counts.within1s).toBeGreaterThan(0);
  });

  test('finds what was changed past everything', { timeout: 120_000 }, async () => {
    let found = 0;
    for (let seed = 1; seed <= 5; seed++) found += (await sampled(seed, 2_000)).counts.violations;
    expect(found).toBeGreaterThan(0);
  });
});
