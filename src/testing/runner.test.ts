import type * as nodeTest from 'node:test';
import type * as vitest from 'vitest';
import { describe, expect, it } from 'vitest';
import { CaseList } from './case-list.ts';
import { runContract, type Runner } from './runner.ts';

/** These compile: the runners have the shapes that a contract needs. */
const runnersThatFit: [(it: typeof nodeTest) => Runner, (it: typeof vitest) => Runner] = [(it) => it, (it) => it];

async function passes(): Promise<void> {}

async function fails(): Promise<void> {
  throw new Error('the contract is broken');
}

describe('runContract', () => {
  it('takes the functions of different runners', () => {
    expect(runnersThatFit).toHaveLength(2);
  });

  it('opens a subject for each case, and closes it also where the case failed', async () => {
    const list = new CaseList();
    const heard: string[] = [];
    let opened = 0;
    runContract(
      list,
      {
        name: 'part',
        open: () => ++opened,
        close: (subject) => heard.push(`close ${subject}`),
      },
      {
        good: async (subject) => void heard.push(`good ${subject}`),
        bad: async (subject) => {
          heard.push(`bad ${subject}`);
          await fails();
        },
      },
    );
    expect([...(await list.failures())].map(([name, error]) => [name, error.message])).toEqual([
      ['bad', 'the contract is broken'],
    ]);
    expect(heard).toEqual(['good 1', 'close 1', 'bad 2', 'close 2']);
  });

  it('fails a case whose subject cannot be opened, and closes nothing then', async () => {
    const list = new CaseList();
    let closed = 0;
    runContract(list, { name: 'part', open: fails, close: () => closed++ }, { good: passes });
    expect([...(await list.failures()).keys()]).toEqual(['good']);
    expect(closed).toBe(0);
  });

  it('leaves cases out with their reason', async () => {
    const list = new CaseList();
    runContract(list, { name: 'part', open: passes, skip: { bad: 'no server can' } }, { good: passes, bad: fails });
    expect(list.skipped).toEqual(['bad (skipped: no server can)']);
    expect(await list.failures()).toEqual(new Map());
  });

  it('refuses to leave out a case that there is not', () => {
    const options = { name: 'part', open: passes, skip: { god: 'a slip of the pen' } };
    expect(() => runContract(new CaseList(), options, { good: passes })).toThrow(
      "skip: part has no case 'god'. Known are: good.",
    );
  });
});
