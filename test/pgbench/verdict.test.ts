import { expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { type Evidence, judge } from './verdict.ts';

// Two transactions of one account, at 1000 and at 2000; the log has heard of them after 10 and 20 ms. The clock of reads is
// 100 ms behind the wall clock.
const transaction = (version: string, delta: number, at: number) => ({ version, aid: 1, tid: 1, bid: 1, delta, at });
const ledger = new Ledger([transaction('7', 5, 1_000), transaction('8', -3, 2_000)]);
const taken = (_row: string, at: number): number | undefined => [1_010, 2_020].find((it) => it >= at);
const evidence: Evidence = {
  ...{ ledger, log: { taken, missed: false }, served: [], since: 0, offset: 100, maxLag: 500 },
};

it('knows for how long a balance had been replaced that was served', () => {
  const verdict = judge({
    ...evidence,
    served: [
      ['a1', 'filled', 0, 905, true],
      ['a1', '7', 5, 905, true],
      ['a1', '7', 5, 2_420, true],
      ['a1', '7', 5, 2_410, false],
      ['a1', '8', 2, 9_000, true],
      ['a2', 'filled', 0, 9_000, true],
    ],
  });
  expect(verdict).toEqual({
    ...{ reads: 6, hits: 5, changed: 3, stalest: 520, bound: 520, violations: [] },
    ...{ staleness: [5, 520], lags: [10, 10, 10, 20, 20, 20] },
  });
});

it('takes what is further behind than the log was, and maxLag, for a violation', () => {
  const { violations } = judge({ ...evidence, served: [['a1', '7', 5, 2_421, false]] });
  expect(violations).toEqual(['a read was 521.0 ms behind its row, where 520.0 are the bound']);
});

it.each([
  ['of another version', '7', 2],
  ['of none', '9', 5],
])('takes a balance for one that never was: %s', (_, version, balance) => {
  const { violations } = judge({ ...evidence, served: [['a1', version, balance, 2_000, true]] });
  expect(violations).toEqual([`a1 was read as ${balance}, which it never was`]);
});

it('misses changes in the log', () => {
  const log = { taken: (row: string, at: number) => (row === 't1' ? undefined : taken(row, at)), missed: true };
  expect(judge({ ...evidence, log }).violations).toEqual([
    '2 changes are not in the log, of t1',
    'who listened to the log has missed records of it',
  ]);
});

it('asks only for what was written in the run', () => {
  const log = { taken: () => undefined, missed: false };
  expect(judge({ ...evidence, log, since: 2_001 }).violations).toEqual([]);
});
