import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bank } from './bank.ts';
import { pgbenchProgram } from './tpcb.ts';

/** Rows that are cached when the writers begin: all of them take a while. */
const WARM = 2_000;

/** More than `npm run pgbench` allows, in ms: the machine of the tests is loaded. */
const PATIENT = { maxLag: 2_000, limit: 20_000 };

// Long runs: npm run pgbench.
describe.each([
  ['pgbench, or what stands in for it', pgbenchProgram()],
  ['the same statements over pg', undefined],
])('processes that read what is written without the library: %s', (_, program) => {
  let bank: Bank;
  beforeAll(async () => {
    bank = await Bank.open(program);
  }, 120_000);
  afterAll(() => bank.close());

  it('are never further behind than the relay and maxLag, and have what the database has at the end', async () => {
    const run = await bank.run({ seconds: 2, warm: WARM, ...PATIENT });
    expect(run.violations).toEqual([]);
    expect(run.written.transactions).toBeGreaterThan(10);
    expect(run.lags.length).toBe(3 * run.written.transactions);
    // That it could have seen something: rows that had been written, cached and read again.
    expect(run.changed).toBeGreaterThan(0);
    expect(run.cached).toBeGreaterThan(WARM);
    expect(run.capture).toMatchObject({ state: 'streaming', unknowable: 0 });
  }, 180_000);

  it.runIf(program === undefined)(
    'and it is seen that some changes are not captured',
    async () => {
      const { violations } = await bank.run({
        seconds: 1,
        warm: 100,
        maxLag: 2_000,
        limit: 1_000,
        mapping: 'without tellers',
      });
      for (const text of [
        /changes are not in the log, of t/,
        /^t\d+ is cached as .*, and is/,
        /^t\d+ is read as .*, and is/,
      ])
        expect(violations).toContainEqual(expect.stringMatching(text));
    },
    180_000,
  );
});
