import type { Clock } from '../coherence/clock.ts';
import type { PartContext } from '../coherence/part.ts';
import type { BreakerBoard, BreakerChange, BreakerNotice, ProbeAnswer } from './breaker.ts';

/**
 * A board in this process: for one process, and for tests with several caches that stand for the processes of a fleet. Make it once,
 * and hand it to each.
 *
 * @example
 * const breakers = memoryBreakerBoard();
 * const a = createCache({ name: 'shop', log, store, breakers });
 * const b = createCache({ name: 'shop', log, store, breakers });
 */
export function memoryBreakerBoard(): (context: Pick<PartContext, 'clock'>) => BreakerBoard {
  let shared: BreakerBoard | undefined;
  return ({ clock }) => {
    shared ??= new MemoryBreakerBoard(clock);
    return shared;
  };
}

/** The times are those of the monotonic clock, in ms. */
interface State {
  number: number;
  open: boolean;
  by: string;
  /** When it may be probed. */
  due: number;
  /** The one who probes, until when; its identity tells it from the next. */
  claim: { readonly until: number } | undefined;
}

class MemoryBreakerBoard implements BreakerBoard {
  readonly #clock: Clock;
  readonly #states = new Map<string, State>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async read(breaker: string): Promise<BreakerNotice> {
    return this.#notice(this.#state(breaker));
  }

  async open(breaker: string, { number, by, time }: BreakerChange): Promise<BreakerNotice> {
    const state = this.#state(breaker);
    if (state.number <= number) this.#change(state, true, by, number, time);
    return this.#notice(state);
  }

  async claim(breaker: string, { number, by, time }: BreakerChange): Promise<ProbeAnswer> {
    const state = this.#state(breaker);
    if (!state.open || state.number !== number || this.#left(state) > 0)
      return { granted: false, notice: this.#notice(state) };
    const claim = { until: this.#clock.monotonic() + time };
    state.claim = claim;
    const settle = async (open: boolean, again: number): Promise<BreakerNotice> => {
      if (state.claim === claim && this.#clock.monotonic() < claim.until) this.#change(state, open, by, number, again);
      return this.#notice(state);
    };
    return { granted: true, succeeded: () => settle(false, 0), failed: (again) => settle(true, again) };
  }

  #state(breaker: string): State {
    const known = this.#states.get(breaker) ?? { number: 0, open: false, by: '', due: 0, claim: undefined };
    this.#states.set(breaker, known);
    return known;
  }

  #change(state: State, open: boolean, by: string, after: number, time: number): void {
    state.number = Math.max(state.number, after) + 1;
    state.open = open;
    state.by = open ? by : '';
    state.due = this.#clock.monotonic() + time;
    state.claim = undefined;
  }

  #left({ due, claim }: State): number {
    return Math.max(0, Math.max(due, claim?.until ?? 0) - this.#clock.monotonic());
  }

  #notice(state: State): BreakerNotice {
    const { number, open, by } = state;
    return { number, open, by, left: open ? this.#left(state) : 0 };
  }
}
