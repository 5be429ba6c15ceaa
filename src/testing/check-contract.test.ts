import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import type { InvalidationLog } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import type { ServerCheck } from '../coherence/server-check.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { memoryLog } from '../index.ts';
import { CaseList } from './case-list.ts';
import { checkContract, type CheckSubject } from './check-contract.ts';
import { FakeClock } from './fake-clock.ts';
import { FaultyLog } from './faulty-log.ts';
import { SeededRandom } from './seeded-random.ts';

const runner = { describe, it, beforeEach, afterEach };
const settings = { slots: 1024 };

/** The class behind `memoryLog` answers checks as well; it is no public name. */
type Reference = InvalidationLog & ServerCheck & { beginEpoch(): void };

function open(change: (check: Reference) => ServerCheck = (check) => check): CheckSubject {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const context: PartContext = { name: 'test', clock, stopwatch: new Stopwatch(clock), random, logger: undefined };
  const part = memoryLog(settings);
  const log = (typeof part === 'function' ? part(context) : part) as Reference;
  return {
    log,
    check: change(log),
    options: logOptions(settings),
    now: () => context.stopwatch.now(),
    elapse: (ms) => clock.advance(ms),
    lose: () => log.beginEpoch(),
  };
}

checkContract(runner, { name: 'the check of memoryLog keeps the contract', open: () => open() });

checkContract(runner, {
  name: 'the check of a FaultyLog without faults keeps the contract',
  open: () => open((log) => new FaultyLog(log)),
});

describe('the check contract finds', () => {
  it.each<[string, (log: Reference) => ServerCheck, string]>([
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
