import { logAppendCases } from './log-append-cases.ts';
import { logAttachCases } from './log-attach-cases.ts';
import { logLossCases } from './log-loss-cases.ts';
import { logReadCases } from './log-read-cases.ts';
import { logStateCases } from './log-state-cases.ts';
import type { LogSubject } from './log-subject.ts';
import { type ContractOptions, type Runner, runContract } from './runner.ts';

/**
 * What every `InvalidationLog` does, as the memory log does it. A case that a log cannot take part in is left out by
 * `skip`, with its reason: `attach` of a log outside this process, or losses that a test has no hand in.
 *
 * What a port does not promise is asked for only where a healthy log has no reason not to do it: that records stay
 * readable for the moment of a case, that a reading without a fault proves freshness.
 *
 * @example
 * logContract({ describe, it, beforeEach, afterEach }, {
 *   name: 'my log',
 *   open: () => ({ log, options, now: () => stopwatch.now(), elapse }),
 *   close: ({ log }) => log.close(),
 *   skip: { 'attach: hands over the state, then each record in the turn of its append': 'a server is elsewhere' },
 * });
 */
export function logContract<S extends LogSubject>(runner: Runner, options: ContractOptions<S>): void {
  runContract<S>(runner, options, {
    ...logAppendCases,
    ...logReadCases,
    ...logStateCases,
    ...logLossCases,
    ...logAttachCases,
  });
}
