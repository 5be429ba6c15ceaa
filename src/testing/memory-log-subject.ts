import { logOptions } from '../coherence/log-options.ts';
import type { InvalidationLog } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import type { ServerCheck } from '../coherence/server-check.ts';
import { memoryLog } from '../index.ts';
import { FakeClock } from './fake-clock.ts';
import type { LogSubject } from './log-subject.ts';
import { partContext } from './part-context.ts';

/** The memory log with what its class can do besides; the class is no public name. */
export type ReferenceLog = InvalidationLog & ServerCheck & { trim(number: number): void; beginEpoch(): void };

/** A memory log on a clock of its own, behind something that changes it. */
export function memoryLogSubject<L extends InvalidationLog = ReferenceLog>(
  behind: (log: ReferenceLog, context: PartContext) => L,
): LogSubject & { readonly log: L; readonly reference: ReferenceLog } {
  const settings = { slots: 1024, maxLife: '1m' } as const;
  const clock = new FakeClock();
  const context = partContext(clock);
  const part = memoryLog(settings);
  const reference = (typeof part === 'function' ? part(context) : part) as ReferenceLog;
  return {
    log: behind(reference, context),
    reference,
    options: logOptions(settings),
    now: () => context.stopwatch.now(),
    elapse: (ms) => clock.advance(ms),
    trim: (number) => reference.trim(number),
    lose: () => reference.beginEpoch(),
  };
}
