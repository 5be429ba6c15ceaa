import { expect, it } from 'vitest';
import type { DatabaseReport, SlotReport } from '../../postgres/index.ts';
import { databaseFindings } from './database-findings.ts';

const slot = (rest: Partial<SlotReport>): DatabaseReport => ({
  slot: { slot: 'tidemark', problem: undefined, active: true, lag: 0, retained: 0, ...rest },
  outbox: { waiting: 0, oldest: 0 },
});

it.each([
  ['nobody captures, nothing waits', { slot: undefined, outbox: undefined }, []],
  ['a slot that is read', slot({ lag: 1_000 }), []],
  ['one that lags', slot({ lag: 100_000_000 }), ['slot-lag degraded']],
  ['one that lags far behind', slot({ lag: 600_000_000 }), ['slot-lag critical']],
  ['one that nobody reads', slot({ active: false }), ['slot-lag critical']],
  ['one that is of no use', slot({ problem: 'the slot was dropped', active: false }), ['slot critical']],
  ['rows of a moment ago', { slot: undefined, outbox: { waiting: 9, oldest: 100 } }, []],
  ['rows that wait', { slot: undefined, outbox: { waiting: 9, oldest: 6_000 } }, ['outbox degraded']],
  ['rows that wait for long', { slot: undefined, outbox: { waiting: 9, oldest: 60_000 } }, ['outbox critical']],
] as const)('%s', (_what, report, found) => {
  expect(databaseFindings(report).map(({ code, status }) => `${code} ${status}`)).toEqual(found);
});
