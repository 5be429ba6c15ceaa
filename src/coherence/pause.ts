import type { Clock } from './clock.ts';

/** A pause between attempts, which can be cut short. One at a time. */
export class Pause {
  readonly #clock: Clock;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `ms` milliseconds, or when it is ended. */
  pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#end = undefined;
        resolve();
      };
      const cancel = this.#clock.schedule(ms, end);
      this.#end = end;
    });
  }

  /** Who pauses goes on at once. */
  end(): void {
    this.#end?.();
  }
}
