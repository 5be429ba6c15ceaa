import type { Clock } from '../coherence/clock.ts';
import { logOptions } from '../coherence/log-options.ts';
import type { PartContext } from '../coherence/part.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { SeededRandom } from './seeded-random.ts';

/**
 * What a cache would hand to a part: for tests of a log, store or lease on its own. Random numbers are the same each
 * time; an adapter that names things on a shared server after them should be given others.
 *
 * @example
 * const clock = new FakeClock();
 * const store = memoryStore()(partContext(clock));
 */
export function partContext(clock: Clock, given: Partial<Omit<PartContext, 'clock'>> = {}): PartContext {
  return {
    name: 'test',
    clock,
    stopwatch: new Stopwatch(clock),
    random: new SeededRandom(1).next,
    logger: undefined,
    logOptions: logOptions(),
    ...given,
  };
}
