import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryReports } from '../cache/memory-reports.ts';
import type { Reports } from '../cache/reports.ts';
import { CaseList } from './case-list.ts';
import { FakeClock } from './fake-clock.ts';
import { type ReportsSubject, reportsContract } from './reports-contract.ts';

/** Reports in memory on a clock of their own, some of their methods replaced. */
function open(alter: (reports: Reports) => Partial<Reports> = () => ({})): ReportsSubject {
  const clock = new FakeClock();
  const made = memoryReports()({ clock });
  const reports = { ...made, ...alter(made) };
  return { reports, other: reports, elapse: (ms) => clock.advance(ms) };
}

reportsContract(
  { describe, it, beforeEach, afterEach },
  { name: 'memoryReports keep the contract', open: () => open() },
);

describe('the contract of reports finds', () => {
  async function failuresOf(alter: (reports: Reports) => Partial<Reports>): Promise<string[]> {
    const list = new CaseList();
    reportsContract(list, { name: 'broken', open: () => open(alter) });
    return [...(await list.failures()).keys()];
  }

  it('those that know no time', async () => {
    expect(await failuresOf((it) => ({ publish: (node, report) => it.publish(node, report, 86_400_000) }))).toEqual([
      'forget what was not replaced in time',
      'keep what lasts longer than what was published after it',
    ]);
  });

  it('those that count no age', async () => {
    const list = async (it: Reports) => (await it.list()).map((report) => ({ ...report, age: 0 }));
    expect(await failuresOf((it) => ({ list: () => list(it) }))).toEqual([
      'count the age from the last that a node has said',
    ]);
  });

  it('those that forget all when one withdraws', async () => {
    const withdraw = async (it: Reports): Promise<void> => {
      for (const { node } of await it.list()) await it.withdraw(node);
    };
    expect(await failuresOf((it) => ({ withdraw: () => withdraw(it) }))).toEqual([
      'forget who withdraws, and nobody else',
    ]);
  });

  it('those that read what they hand on', async () => {
    expect(
      await failuresOf((it) => ({ publish: (node, report, ttl) => it.publish(node, report.trim(), ttl) })),
    ).toEqual(['hand on any text, and have nodes of any name']);
  });
});
