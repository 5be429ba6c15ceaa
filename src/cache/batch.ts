import type { Budget } from './budget.ts';
import type { LoadContext } from './load-context.ts';

/** Loads many values at once; `contexts[i]` belongs to `args[i]`. Must return one value for each, in order. */
export type LoadMany<A extends unknown[], T> = (
  args: readonly A[],
  contexts: readonly LoadContext[],
) => Promise<readonly T[]> | readonly T[];

interface Arrival<A, T> {
  readonly args: A;
  readonly ctx: LoadContext;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/**
 * Reads that were asked for together, and whose loads are made by one call: it is made as soon as every one of them
 * either wants to load or has found its value elsewhere. One that comes later loads alone. The whole batch is one load to
 * the budget.
 */
export class Batch<A extends unknown[], T> {
  readonly #loadMany: LoadMany<A, T>;
  readonly #budget: Budget;
  #missing: number;
  #arrivals: Arrival<A, T>[] = [];

  constructor(loadMany: LoadMany<A, T>, budget: Budget, size: number) {
    this.#loadMany = loadMany;
    this.#budget = budget;
    this.#missing = size;
  }

  /** One seat in the batch: `load` or `leave`, whichever comes first, counts. */
  seat(args: A): { load: (ctx: LoadContext) => Promise<T>; leave: () => void } {
    let seated = true;
    const rise = (): void => {
      if (!seated) return;
      seated = false;
      this.#missing--;
    };
    return {
      load: (ctx) =>
        new Promise<T>((resolve, reject) => {
          this.#arrivals.push({ args, ctx, resolve, reject });
          rise();
          this.#depart();
        }),
      leave: () => {
        rise();
        this.#depart();
      },
    };
  }

  #depart(): void {
    if (this.#missing > 0 || this.#arrivals.length === 0) return;
    const aboard = this.#arrivals;
    this.#arrivals = [];
    void this.#load(aboard);
  }

  async #load(aboard: readonly Arrival<A, T>[]): Promise<void> {
    await this.#budget.take();
    try {
      const values = await this.#loadMany(
        aboard.map((it) => it.args),
        aboard.map((it) => it.ctx),
      );
      if (values.length !== aboard.length)
        throw new TypeError(
          `loadMany returned ${values.length} values for ${aboard.length} arguments; it must return one for each, in order`,
        );
      aboard.forEach((it, i) => it.resolve(values[i] as T));
    } catch (error) {
      for (const it of aboard) it.reject(error);
    } finally {
      this.#budget.give();
    }
  }
}
