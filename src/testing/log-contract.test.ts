import { afterEach, beforeEach, describe, it } from 'vitest';
import { FaultyLog } from './faulty-log.ts';
import { logContract } from './log-contract.ts';
import type { LogSubject } from './log-subject.ts';
import { memoryLogSubject } from './memory-log-subject.ts';
import { ScriptedLog } from './scripted-log.ts';

const runner = { describe, it, beforeEach, afterEach };
const close = ({ log }: LogSubject): Promise<void> => log.close();

logContract(runner, {
  name: 'memoryLog keeps the contract',
  open: () => memoryLogSubject((log) => log),
  close,
});

const elsewhere = 'it stands for a log that is elsewhere';
const skip = {
  'attach: hands over the state, then each record in the turn of its append': elsewhere,
  'attach: who follows knows what the log knows': elsewhere,
  'attach: each follower hears of everything, until it detaches': elsewhere,
};

logContract(runner, {
  name: 'a FaultyLog without faults keeps the contract',
  open: () => memoryLogSubject((log) => new FaultyLog(log)),
  close,
  skip,
});

logContract(runner, {
  name: 'a ScriptedLog without a script keeps the contract',
  open: () => memoryLogSubject((log, { stopwatch }) => new ScriptedLog(log, () => stopwatch.now())),
  close,
  skip,
});
