import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';
import type { Latency } from './latency.ts';

export interface DatabaseLinkParts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly clock: VirtualClock;
  /** One way. */
  readonly latency: Latency;
}

/** What is sent later arrives later, in ms. */
const APART = 0.001;

/** What lies between one connection of a process and the database: messages in their order, or none any more. */
export class DatabaseLink {
  readonly #parts: DatabaseLinkParts;
  #up = 0;
  #down = 0;
  #intact = true;
  readonly #cut: (heard: { client: boolean; server: boolean }) => void;

  /** @param cut called once, when it is cut, with who hears of it */
  constructor(parts: DatabaseLinkParts, cut: (heard: { client: boolean; server: boolean }) => void) {
    this.#parts = parts;
    this.#cut = cut;
  }

  /** To the server. */
  up(run: () => void): void {
    const { scheduler, latency } = this.#parts;
    this.#up = Math.max(scheduler.now + latency.draw(), this.#up + APART);
    scheduler.at(this.#up, () => {
      if (this.#intact) run();
    });
  }

  /** To the process. */
  down(run: () => void): void {
    const { scheduler, latency, clock, random } = this.#parts;
    // Parts of one answer come one by one now and then.
    const apart = random.chance(0.1) ? latency.draw() : APART;
    this.#down = Math.max(scheduler.now + latency.draw(), this.#down + apart);
    scheduler.at(this.#down, () => {
      if (this.#intact) clock.deliver(run);
    });
  }

  /** Holds messages back for a while. */
  stall(ms: number): void {
    this.#up = Math.max(this.#up, this.#parts.scheduler.now + ms);
    this.#down = Math.max(this.#down, this.#up);
  }

  cut(heard: { client: boolean; server: boolean }): void {
    if (!this.#intact) return;
    this.#intact = false;
    this.#cut(heard);
  }
}
