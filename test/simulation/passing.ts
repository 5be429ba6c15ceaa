import { promisesSettled } from '../../src/testing/fake-clock.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';

/** Lets virtual time pass while a test waits for something, and gives the test its turn at every millisecond. */
export class Passing {
  readonly #scheduler: Scheduler;
  #awaited = 0;
  #moving = false;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  async until<T>(work: Promise<T>): Promise<T> {
    this.#awaited++;
    void this.#move();
    try {
      return await work;
    } finally {
      this.#awaited--;
    }
  }

  elapse(ms: number): Promise<void> {
    return this.until(new Promise((resolve) => void this.#scheduler.after(ms, resolve)));
  }

  async #move(): Promise<void> {
    if (this.#moving) return;
    this.#moving = true;
    for (;;) {
      await promisesSettled();
      if (this.#awaited === 0) break;
      await this.#scheduler.run(this.#scheduler.now + 1);
    }
    this.#moving = false;
  }
}
