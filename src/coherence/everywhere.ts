import type { Clock } from './clock.ts';
import { within } from './deadline.ts';
import { type Guard, NO_GUARD_REMOVED, type RemovedGuards } from './guards.ts';
import type { LogOptions } from './log.ts';
import type { Position } from './position.ts';
import type { Presence, Roll } from './presence.ts';
import { STOPWATCH_TOLERANCE } from './stopwatch.ts';

export interface EverywhereParts {
  readonly presence: Presence;
  /** This node, which needs no waiting for. */
  readonly node: string;
  /** How long this node serves beyond `maxLag` when it is cut off, in ms. */
  readonly tolerance: number;
  /** What the log has fixed, as far as it is known. */
  readonly options: () => LogOptions;
  readonly clock: Clock;
  readonly removed?: RemovedGuards;
}

/** Pauses between readings of the list, in ms. */
const FIRST_PAUSE = 2;
const LONGEST_PAUSE = 50;

/**
 * Waits until no node serves what a record covers: every listed node has applied it, or the longest time has passed for
 * which a node that was cut off would go on.
 *
 * Time is the monotonic clock alone. A stopwatch also counts time that may have passed, which takes trust away where it
 * dates a proof, and would grant it here.
 */
export class Everywhere {
  readonly #parts: EverywhereParts;
  readonly #removed: RemovedGuards;
  /** The list that was read last, and since when it has been the same. */
  #known = { id: '', since: Number.POSITIVE_INFINITY };
  /** As far as lists have told. */
  #longest = 0;

  constructor(parts: EverywhereParts) {
    this.#parts = parts;
    this.#removed = parts.removed ?? NO_GUARD_REMOVED;
  }

  /** Enters this node; its follower must not have asked for anything before. */
  start(): void {
    const { presence, node, tolerance } = this.#parts;
    // Where no server answers, the first reading of the log enters it.
    presence.register(node, tolerance).catch(() => {});
    void this.learn();
  }

  /** Looks at the list, so that later waits know how old it is. Never rejects. */
  async learn(): Promise<void> {
    await this.#list();
  }

  /** Takes this node off the list; it serves nothing any more. Never rejects. */
  async stop(): Promise<void> {
    const { presence, node } = this.#parts;
    await this.#inTime(presence.remove(node)).catch(() => {});
  }

  /**
   * Resolves when no node serves what the record at a position covers.
   *
   * @param isGivenUp asked now and then: whether nobody waits for it any more
   * @returns `false` where that cannot be known, because the list could not be read once since the append
   */
  async confirmed(position: Position, isGivenUp: () => boolean = never): Promise<boolean> {
    if (!this.#has('everywhereWait')) return true;
    const appendedBy = this.#now();
    let seen = false;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
      if (isGivenUp()) return false;
      const roll = await this.#list();
      const now = this.#now();
      const { longest } = this;
      if (roll !== undefined) {
        seen = true;
        // A list that is younger may have lost a node that still serves.
        const old = now - this.#known.since > longest || !this.#has('everywhereKnown');
        if (old && roll.nodes.every(({ node, applied }) => node === this.#parts.node || isPast(applied, position)))
          return true;
      }
      // A proof of freshness from before the append has run out everywhere, whoever it was that had it.
      if (now - appendedBy > longest) return seen;
      await this.#pass(pause);
    }
  }

  async #list(): Promise<Roll | undefined> {
    try {
      const roll = await this.#inTime(this.#parts.presence.list());
      this.#longest = Math.max(this.#longest, roll.longest);
      if (roll.id !== this.#known.id) this.#known = { id: roll.id, since: this.#now() };
      return roll;
    } catch {
      return undefined;
    }
  }

  /** The longest that any node serves when cut off, in ms; a suspended machine may notice so much later that it was. */
  get longest(): number {
    const { options, tolerance } = this.#parts;
    return Math.max(this.#longest, options().maxLag + tolerance) + STOPWATCH_TOLERANCE;
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, options } = this.#parts;
    return within(clock, options().maxLag / 4, work, () => new Error('the list of nodes did not come in time'));
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.schedule(ms, resolve);
    });
  }

  #now(): number {
    return this.#parts.clock.monotonic();
  }

  #has(guard: Guard): boolean {
    return !this.#removed.has(guard);
  }
}

function never(): boolean {
  return false;
}

function isPast(applied: Position, position: Position): boolean {
  return applied.epoch === position.epoch && applied.number >= position.number;
}
