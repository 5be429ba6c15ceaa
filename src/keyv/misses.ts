import type { Token } from '../index.ts';

/** Misses of one key that have the same mark. */
interface Asked {
  readonly mark: Token;
  /** When the last of them is over, in ms. */
  until: number;
  count: number;
}

/** Most different marks of one key: beyond, the oldest two count as one. */
const MOST_MARKS = 16;

/** Most keys: beyond, the one that was missed longest ago is given up, and with it some fills of the next seconds. */
const MOST_KEYS = 100_000;

interface Key {
  /** Loads that may be under way. */
  open: number;
  /** The oldest first. */
  readonly asked: Asked[];
}

/**
 * Which loads may be under way: keys that were asked for and not found, with the mark of then. Who loads what it did not find
 * sets it afterwards, but says not which of several that asked it is:
 *
 * 1. A asks, and finds nothing; its loader reads the old value.  2. The key is invalidated.
 * 3. B asks, finds nothing, and loads the new value.  4. A sets the old value. It must not pass for B's.
 *
 * So each set has the mark of the *oldest* that may still be open. A load that never sets (it failed) stays open until a
 * load's time is over; until then what is set after an invalidation may be taken for it, and is not kept: a load, not a lie.
 */
export class Misses {
  readonly #keys = new Map<string, Key>();
  readonly #loadTime: number;
  readonly #now: () => number;
  /** Of keys that were given up, the oldest mark, and until when it counts. */
  #lost: Asked | undefined;

  readonly #oldest: boolean;

  /**
   * @param loadTime from a miss to the end of its load at most, in ms
   * @param oldest `false` only in the simulation, to show what that is for
   */
  constructor(loadTime: number, now: () => number, oldest = true) {
    this.#loadTime = loadTime;
    this.#now = now;
    this.#oldest = oldest;
  }

  /** Nothing was found; whoever asked may begin to load it now. */
  note(name: string, mark: Token): void {
    const key = this.#find(name) ?? { open: 0, asked: [] };
    const until = this.#now() + this.#loadTime;
    const last = key.asked.at(-1);
    if (last?.mark === mark) {
      last.until = until;
      last.count++;
    } else key.asked.push({ mark, until, count: 1 });
    if (key.asked.length > MOST_MARKS) uniteOldest(key.asked);
    key.open++;
    // The one missed last is the last to be given up.
    this.#keys.delete(name);
    this.#keys.set(name, key);
    this.#giveUp();
  }

  /** The mark of what is set now; `undefined` where nobody can have loaded it. */
  take(name: string): Token | undefined {
    const key = this.#find(name);
    if (key === undefined)
      return this.#lost !== undefined && this.#now() < this.#lost.until ? this.#lost.mark : undefined;
    const mark = key.asked.at(this.#oldest ? 0 : -1)?.mark;
    if (--key.open <= 0) this.#keys.delete(name);
    return mark;
  }

  /** A key's misses, without those whose loads are over. */
  #find(name: string): Key | undefined {
    const key = this.#keys.get(name);
    if (key === undefined) return undefined;
    const now = this.#now();
    while (key.asked[0] !== undefined && key.asked[0].until <= now) key.asked.shift();
    key.open = Math.min(
      key.open,
      key.asked.reduce((sum, { count }) => sum + count, 0),
    );
    if (key.open > 0) return key;
    this.#keys.delete(name);
    return undefined;
  }

  #giveUp(): void {
    const [first] = this.#keys;
    if (first === undefined) return;
    const [name, { asked }] = first;
    const [oldest, newest] = [asked[0], asked.at(-1)];
    if (oldest === undefined || newest === undefined) return;
    const over = newest.until <= this.#now();
    if (!over && this.#keys.size <= MOST_KEYS) return;
    this.#keys.delete(name);
    if (over) return;
    const known = this.#lost !== undefined && this.#now() < this.#lost.until ? this.#lost.mark : oldest.mark;
    this.#lost = { mark: known, until: newest.until, count: 0 };
  }
}

function uniteOldest(asked: Asked[]): void {
  const [first, second] = asked as [Asked, Asked];
  first.until = second.until;
  first.count += second.count;
  asked.splice(1, 1);
}
