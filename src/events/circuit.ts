/**
 * Decides whether a publisher's callers wait for the log. It opens after failures one after the other, and closes when the log has taken
 * something: what is queued is sent again all the while, so that nobody has to be chosen to try.
 */
export class Circuit {
  readonly #limit: number;
  readonly #changed: (open: boolean) => void;
  #failures = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #open = false;
  #opened = 0;

  /** @param limit failures in a row until it opens */
  constructor(limit: number, changed: (open: boolean) => void) {
    this.#limit = limit;
    this.#changed = changed;
  }

  /** Whether nobody waits now. */
  get open(): boolean {
    return this.#open;
  }

  /** How often it has opened. */
  get opened(): number {
    return this.#opened;
  }

  /**
   * The log has not taken something in time. Of what was under way together only one counts: a burst that meets one slow
   * answer is one failure.
   *
   * @param began when it was handed over, in ms of the clock that `now` is read from
   */
  failed(began: number, now: number): void {
    if (began < this.#failedAt) return;
    this.#failedAt = now;
    if (++this.#failures < this.#limit || this.#open) return;
    this.#open = true;
    this.#opened++;
    this.#changed(true);
  }

  /** The log has taken something. */
  succeeded(): void {
    this.#failures = 0;
    if (!this.#open) return;
    this.#open = false;
    this.#changed(false);
  }
}
