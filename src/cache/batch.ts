import type { Clock } from '../coherence/clock.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Budget } from './budget.ts';
import type { LoadContext } from './load-context.ts';

/** Loads many values at once; `contexts[i]` belongs to `args[i]`. Must return one value for each, in order. */
export type LoadMany<A extends unknown[], T> = (
  args: readonly A[],
  contexts: readonly LoadContext[],
) => Promise<readonly T[]> | readonly T[];

export interface BatchParts<A extends unknown[], T> {
  readonly loadMany: LoadMany<A, T>;
  readonly budget: Budget;
  readonly clock: Clock;
  /** How long its readers wait for their loads, in ms. */
  readonly timeout: number;
}

/** One read of a batch: it boards and loads, or leaves. */
export interface Seat<T> {
  /** It wants to load; resolves when it may, and then it must. */
  readonly board: () => Promise<void>;
  readonly load: (ctx: LoadContext) => Promise<T>;
  /** It needs no load, or not now. */
  readonly leave: () => void;
}

/**
 * Reads that were asked for together, and whose loads are made by one call: it is made as soon as every one of them has
 * either boarded or found its value elsewhere, and the budget has room. One that comes later loads alone. The whole call
 * is one load to the budget.
 */
export class Batch<A extends unknown[], T> {
  readonly #parts: BatchParts<A, T>;
  #undecided: number;
  #next: Trip<A, T> | undefined;

  /** @param size how many seats will be taken */
  constructor(parts: BatchParts<A, T>, size: number) {
    this.#parts = parts;
    this.#undecided = size;
  }

  seat(args: A): Seat<T> {
    let undecided = true;
    let trip: Trip<A, T> | undefined;
    const decide = (): void => {
      if (undecided) this.#undecided--;
      undecided = false;
      this.#depart();
    };
    const board = (): Promise<void> => {
      trip = this.#next ??= new Trip(this.#parts);
      const started = trip.board();
      decide();
      return started;
    };
    const load = async (ctx: LoadContext): Promise<T> => {
      if (trip === undefined) await board();
      return (trip as Trip<A, T>).load(args, ctx);
    };
    return { board, load, leave: decide };
  }

  #depart(): void {
    if (this.#undecided > 0 || this.#next === undefined) return;
    void this.#next.start();
    this.#next = undefined;
  }
}

interface Passenger<A, T> {
  readonly args: A;
  readonly ctx: LoadContext;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/**
 * Those who load by the same call. The call is made when all of them have taken their marks, which they do after the
 * wait for the budget: what was invalidated during the wait is in what they load.
 */
class Trip<A extends unknown[], T> {
  readonly #parts: BatchParts<A, T>;
  readonly #aboard: Passenger<A, T>[] = [];
  #size = 0;
  readonly #started: Promise<void>;
  #begin: () => void = () => {};

  constructor(parts: BatchParts<A, T>) {
    this.#parts = parts;
    this.#started = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  board(): Promise<void> {
    this.#size++;
    return this.#started;
  }

  async start(): Promise<void> {
    await this.#parts.budget.take(this.#parts.timeout);
    this.#begin();
  }

  load(args: A, ctx: LoadContext): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#aboard.push({ args, ctx, resolve, reject });
      if (this.#aboard.length === this.#size) void this.#load();
    });
  }

  async #load(): Promise<void> {
    const { budget, clock, timeout } = this.#parts;
    let held = true;
    const give = (): void => {
      if (held) budget.give();
      held = false;
    };
    // Its readers stop waiting then, so its place goes to others, although the call may still be under way.
    const cancel = clock.schedule(timeout, give);
    try {
      const values = await this.#call();
      this.#aboard.forEach((it, i) => it.resolve(values[i] as T));
    } catch (error) {
      for (const it of this.#aboard) it.reject(error);
    } finally {
      cancel();
      give();
    }
  }

  async #call(): Promise<readonly T[]> {
    const values: unknown = await this.#parts.loadMany(
      this.#aboard.map((it) => it.args),
      this.#aboard.map((it) => it.ctx),
    );
    const { length } = this.#aboard;
    if (Array.isArray(values) && values.length === length) return values as readonly T[];
    throw new TidemarkError(
      'INVALID_QUERY',
      `loadMany returned ${Array.isArray(values) ? `${values.length} values` : shorten(values)} for ${length} lists of arguments. Return one value for each, in their order.`,
    );
  }
}
