import type { Cancel, Clock } from '../coherence/clock.ts';
import type { View } from '../coherence/view.ts';
import { type Entry, NEVER } from './entry.ts';
import type { MemoryTier } from './memory-tier.ts';

export interface SweepParts {
  readonly memory: MemoryTier;
  readonly view: View;
  readonly clock: Clock;
  /** The stopwatch that entries are dated by. */
  readonly now: () => number;
  /** The longest time, in ms, that any reader has let an old value stand in. */
  readonly tolerance: () => number;
}

/** From the first change to the sweep that follows it, in ms; and between two slices of a sweep. */
const DELAY = 1_000;
const PAUSE = 5;

/** For so long after it was last proven valid an entry is kept, in ms: a reader who tolerates it may be the first to. */
const LEAST = 30_000;

/** Entries looked at in one slice: about a tenth of a millisecond. */
const SLICE = 500;

/**
 * Frees the memory of covered entries that may not stand in for anybody any more, in slices, so that no read waits for it:
 * half a minute after they were last proven valid, or longer where readers tolerate more. It decides nothing: what it drops
 * is refused wherever it is looked at. Where nothing happens, nothing runs.
 */
export class Sweep {
  readonly #parts: SweepParts;
  #cancel: Cancel | undefined;
  #entries: Iterator<[string, Entry]> | undefined;
  /** The view's revision when the sweep that is under way began. */
  #revision = 0;
  /** Whether something covered may still stand in, and has to be looked at again. */
  #tolerated = false;
  /** How many entries it still looks at: it moves among entries that come and go. */
  #left = 0;
  #closed = false;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  /** Something was applied, or another epoch adopted. */
  notice(): void {
    if (this.#cancel === undefined && !this.#closed) this.#after(DELAY);
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#entries = undefined;
  }

  #after(ms: number): void {
    this.#cancel = this.#parts.clock.schedule(ms, () => this.#slice());
  }

  #slice(): void {
    const { memory, view } = this.#parts;
    this.#cancel = undefined;
    if (this.#entries === undefined) {
      this.#entries = memory.oldestFirst();
      this.#revision = view.revision;
      this.#tolerated = false;
      this.#left = memory.size;
    }
    for (let i = 0; i < SLICE; i++) {
      const next = this.#entries.next();
      if (next.done === true || this.#left-- <= 0) return this.#ended();
      this.#look(...next.value);
    }
    this.#after(PAUSE);
  }

  #ended(): void {
    this.#entries = undefined;
    if (this.#revision !== this.#parts.view.revision || this.#tolerated) this.#after(DELAY);
  }

  #look(place: string, entry: Entry): void {
    const { memory, view, now } = this.#parts;
    if (entry.checked === view.revision || view.cover(entry, place) === undefined) return;
    const time = now();
    const tolerance = Math.max(LEAST, entry.grace, this.#parts.tolerance());
    const standsIn =
      entry.provenAt > NEVER && time - entry.provenAt <= tolerance && time < entry.freshUntil + tolerance;
    if (standsIn) this.#tolerated = true;
    else memory.remove(place);
  }
}
