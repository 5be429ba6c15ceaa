import type { Cancel, Clock } from '../index.ts';

/** Between two beats, in ms. */
const BEAT = 1_000;
/** A beat that is later than this, in ms, means that the process hardly ran. */
const BLOCKED = 5_000;
/** So many such beats, one after the other, and it is not alive. */
const BEATS = 3;

/** A timer that notices when it runs late: then everything else in this process does, too. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #window: number;
  /** The beats that were late by more than a few ms, oldest first. */
  #late: { readonly at: number; readonly by: number }[] = [];
  #blocked = 0;
  #cancel: Cancel | undefined;

  /** @param window how long a late beat is remembered, in ms */
  constructor(clock: Clock, window: number) {
    this.#clock = clock;
    this.#window = window;
    this.#wait();
  }

  /** By how much the latest beat of the window was late, in ms. */
  latest(): number {
    this.#forget();
    return Math.max(0, ...this.#late.map(({ by }) => by));
  }

  /** Whether the process has hardly run for a while: three beats in a row were more than five seconds late. */
  get blocked(): boolean {
    return this.#blocked >= BEATS;
  }

  close(): void {
    this.#cancel?.();
  }

  #wait(): void {
    const due = this.#clock.monotonic() + BEAT;
    this.#cancel = this.#clock.schedule(BEAT, () => this.#beat(this.#clock.monotonic() - due));
  }

  #beat(by: number): void {
    this.#blocked = by > BLOCKED ? this.#blocked + 1 : 0;
    this.#forget();
    if (by > 10) this.#late.push({ at: this.#clock.monotonic(), by });
    this.#wait();
  }

  #forget(): void {
    const since = this.#clock.monotonic() - this.#window;
    this.#late = this.#late.filter(({ at }) => at > since);
  }
}
