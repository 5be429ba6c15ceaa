import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServerCheck } from '../coherence/server-check.ts';
import { CaseList } from './case-list.ts';
import { checkContract, type CheckSubject } from './check-contract.ts';
import { FaultyLog } from './faulty-log.ts';
import { memoryLogSubject, type ReferenceLog } from './memory-log-subject.ts';

const runner = { describe, it, beforeEach, afterEach };

function open(change: (log: ReferenceLog) => ServerCheck = (log) => log): CheckSubject {
  const subject = memoryLogSubject((log) => log);
  return { ...subject, check: change(subject.reference) };
}

checkContract(runner, { name: 'the check of memoryLog keeps the contract', open: () => open() });

checkContract(runner, {
  name: 'the check of a FaultyLog without faults keeps the contract',
  open: () => open((log) => new FaultyLog(log)),
});

describe('the check contract finds', () => {
  it.each<[string, (log: ReferenceLog) => ServerCheck, string]>([
    [
      'answers in another order',
      (log) => ({ check: async (labels) => ({ ...(await log.check(labels.toReversed())) }) }),
      'answers the newest number of each label, in order',
    ],
    [
      'labels left out',
      (log) => ({ check: (labels) => log.check(labels.slice(0, 100)) }),
      'answers many labels at once',
    ],
    [
      'bans forgotten',
      (log) => ({ check: async (labels) => ({ ...(await log.check(labels)), bans: [] }) }),
      'knows what the snapshot knows, after any records',
    ],
    [
      'announcements forgotten',
      (log) => ({ check: async (labels) => ({ ...(await log.check(labels)), announcements: [] }) }),
      'knows what the snapshot knows, after any records and announcements',
    ],
    [
      'a floor forgotten',
      (log) => ({ check: async (labels) => ({ ...(await log.check(labels)), floor: 0 }) }),
      'knows what the snapshot knows, after any records',
    ],
    [
      'an answer kept',
      (log) => {
        let kept: ReturnType<ServerCheck['check']> | undefined;
        return { check: (labels) => (kept ??= log.check(labels)) };
      },
      'answers as of its head: what was appended before it was asked counts',
    ],
    [
      'proof from nowhere',
      (log) => ({ check: async (labels) => ({ ...(await log.check(labels)), provenAt: 1e9 }) }),
      'dates its proof between the sending of its request and the answer',
    ],
    [
      'an epoch that outlives its log',
      (log) => {
        const before = log.snapshot();
        return { check: async (labels) => ({ ...(await log.check(labels)), epoch: (await before).epoch }) };
      },
      'answers with a new epoch once the log has lost something',
    ],
  ])('%s', async (_, change, name) => {
    const list = new CaseList();
    checkContract(list, { name: 'broken', open: () => open(change) });
    expect([...(await list.failures()).keys()]).toContain(name);
  });
});
