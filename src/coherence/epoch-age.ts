import type { Clock } from './clock.ts';
import { type Guard, NO_GUARD_REMOVED, type RemovedGuards } from './guards.ts';
import { STOPWATCH_TOLERANCE } from './stopwatch.ts';

export interface EpochAgeParts {
  readonly clock: Clock;
  /** In ms; what the log has fixed, once it is known. */
  readonly maxLag: () => number;
  readonly removed?: RemovedGuards;
}

/**
 * How long this node has known its epoch. A new epoch has lost every announcement, and where strict writes are promised it is
 * young until each of them is there again:
 *
 * 1. A writer has announced, every node has confirmed. 2. The epoch ends. 3. This node adopts the next one, loads the old
 * value, and keeps it. 4. The writer's transaction commits. 5. Its node, which may be `maxLag` behind, adopts the epoch and
 * announces again. 6. This node, which may be as much behind, still serves what it has.
 *
 * Time is the monotonic clock alone: a stopwatch also counts time that may have passed, and age grants trust here.
 */
export class EpochAge {
  readonly #parts: EpochAgeParts;
  readonly #removed: RemovedGuards;
  #since: number | undefined;

  constructor(parts: EpochAgeParts) {
    this.#parts = parts;
    this.#removed = parts.removed ?? NO_GUARD_REMOVED;
  }

  /** Another epoch was adopted, and may have begun just now. */
  begin(): void {
    this.#since = this.#parts.clock.monotonic();
  }

  /** Whether it may be younger than twice `maxLag`, and the time by which a suspended machine may notice late. */
  get young(): boolean {
    if (this.#since === undefined || !this.#has('young')) return false;
    const { clock, maxLag } = this.#parts;
    const once = maxLag() + STOPWATCH_TOLERANCE;
    if (clock.monotonic() - this.#since <= (this.#has('youngTwice') ? 2 * once : once)) return true;
    this.#since = undefined;
    return false;
  }

  #has(guard: Guard): boolean {
    return !this.#removed.has(guard);
  }
}
