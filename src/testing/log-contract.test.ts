import { afterEach, beforeEach, describe, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import type { InvalidationLog } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import type { ServerCheck } from '../coherence/server-check.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { memoryLog } from '../index.ts';
import { FakeClock } from './fake-clock.ts';
import { FaultyLog } from './faulty-log.ts';
import { logContract } from './log-contract.ts';
import type { LogSubject } from './log-subject.ts';
import { ScriptedLog } from './scripted-log.ts';
import { SeededRandom } from './seeded-random.ts';

const runner = { describe, it, beforeEach, afterEach };
const settings = { slots: 1024, maxLife: '1m' } as const;

/** What the class behind `memoryLog` can do besides; it is no public name. */
type Reference = InvalidationLog & ServerCheck & { trim(number: number): void; beginEpoch(): void };

/** A memory log on a clock of its own, behind something that changes it. */
function open(behind: (log: Reference, context: PartContext) => InvalidationLog = (log) => log): LogSubject {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const context: PartContext = { name: 'test', clock, stopwatch: new Stopwatch(clock), random, logger: undefined };
  const part = memoryLog(settings);
  const reference = (typeof part === 'function' ? part(context) : part) as Reference;
  return {
    log: behind(reference, context),
    options: logOptions(settings),
    now: () => context.stopwatch.now(),
    elapse: (ms) => clock.advance(ms),
    trim: (number) => reference.trim(number),
    lose: () => reference.beginEpoch(),
  };
}

const close = ({ log }: LogSubject): Promise<void> => log.close();

logContract(runner, { name: 'memoryLog keeps the contract', open: () => open(), close });

const elsewhere = 'it stands for a log that is elsewhere';
const skip = {
  'attach: hands over the state, then each record in the turn of its append': elsewhere,
  'attach: who follows knows what the log knows': elsewhere,
  'attach: each follower hears of everything, until it detaches': elsewhere,
};

logContract(runner, {
  name: 'a FaultyLog without faults keeps the contract',
  open: () => open((log) => new FaultyLog(log)),
  close,
  skip,
});

logContract(runner, {
  name: 'a ScriptedLog without a script keeps the contract',
  open: () => open((log, { stopwatch }) => new ScriptedLog(log, () => stopwatch.now())),
  close,
  skip,
});
