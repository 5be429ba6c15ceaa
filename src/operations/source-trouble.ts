/** Failures in this time count, in ms; fewer than so many do not. */
const SPAN = 10_000;
const LEAST = 5;

/** Whether loads fail just now: then nobody should add to them. */
export class SourceTrouble {
  #since = 0;
  #now = { loads: 0, failures: 0 };
  #before = { loads: 0, failures: 0 };

  /** @param now monotonic, in ms */
  add(failed: boolean, now: number): void {
    this.#turn(now);
    this.#now.loads++;
    if (failed) this.#now.failures++;
  }

  /** At least five loads, and more than half of all, have failed in the last ten to twenty seconds. */
  at(now: number): boolean {
    this.#turn(now);
    const failures = this.#now.failures + this.#before.failures;
    return failures >= LEAST && failures * 2 > this.#now.loads + this.#before.loads;
  }

  #turn(now: number): void {
    if (now - this.#since < SPAN) return;
    this.#before = now - this.#since < 2 * SPAN ? this.#now : { loads: 0, failures: 0 };
    this.#now = { loads: 0, failures: 0 };
    this.#since = now;
  }
}
