import type { Cancel, Clock } from '../coherence/clock.ts';
import type { RemovedGuards } from '../coherence/guards.ts';
import type { Node } from '../coherence/node.ts';
import type { Stopwatch } from '../coherence/stopwatch.ts';
import type { Marked } from '../coherence/view.ts';
import { isHeld } from './claims.ts';
import { Entry } from './entry.ts';
import type { Events, ShadowOutcome } from './events.ts';
import type { Fill } from './fill.ts';
import type { Outcome } from './flight.ts';
import type { ReadPath } from './read-path.ts';
import { type ReadRequest, subjectOf } from './read-request.ts';
import { isSameValue } from './same-value.ts';
import { type ShadowCounts, ShadowTally } from './shadow-counts.ts';

export interface ShadowParts {
  readonly node: Node;
  readonly reads: ReadPath;
  readonly fill: Fill;
  readonly events: Events;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  readonly removed: RemovedGuards;
}

/** Most differences that wait to be judged; one more is `unknown`. */
const MOST_WAITING = 1_000;

/** What the cache would have served. */
interface Cached {
  readonly value: unknown;
  readonly from: 'memory' | 'store';
  readonly marked: Marked;
  readonly age: number;
  /** A hit on it would have started a refresh. */
  readonly due: boolean;
}

/** A value of the cache and one that was loaded for the same reader. */
interface Pair {
  readonly request: ReadRequest;
  readonly cached: Cached;
  readonly loaded: Outcome;
  /** When it had been loaded, on the stopwatch, in ms. */
  readonly at: number;
}

/**
 * Reads past the cache, and compares: what a reader is given is always loaded for it, after it asked. The cache fills as it would
 * have filled: what would have been a hit leaves the entry as it is, so that it ages as it would have.
 *
 * A difference is no proof that the cache is wrong: 1. A reader looks into the cache. 2. A change is committed. 3. The load reads it.
 * 4. Its record arrives. So a difference waits for `maxLag`, and is held against the cache only if no record covers it then.
 */
export class Shadow {
  readonly #parts: ShadowParts;
  readonly #tallies = new WeakMap<object, ShadowTally>();
  readonly #waiting = new Map<Pair, Cancel>();
  #closed = false;

  constructor(parts: ShadowParts) {
    this.#parts = parts;
  }

  /** @throws what the loader throws; the cache stands in for nothing */
  async read(request: ReadRequest): Promise<unknown> {
    const { fill, stopwatch } = this.#parts;
    let cached = this.#inMemory(request);
    const looking = cached === undefined ? this.#inStore(request).then((found) => void (cached = found)) : undefined;
    const loaded = await fill.apart(request, () => cached?.due ?? true);
    const at = stopwatch.now();
    // Nobody waits for a store that is slower than the loader.
    if (looking === undefined) this.#compare(request, cached, loaded, at);
    else void looking.then(() => this.#compare(request, cached, loaded, at));
    return cached === undefined || this.#has('shadowLoads') ? loaded.value : cached.value;
  }

  counts(owner: object): ShadowCounts {
    return this.#tally(owner).counts;
  }

  /** Judges what waits. */
  close(): void {
    this.#closed = true;
    for (const pair of [...this.#waiting.keys()]) this.#judge(pair);
  }

  // --- looking

  #inMemory(request: ReadRequest): Cached | undefined {
    const now = this.#parts.stopwatch.now();
    const entry = this.#parts.reads.inMemory(request, now);
    if (!(entry instanceof Entry)) return undefined;
    const age = Math.max(0, now - entry.bornAt);
    const due = age > entry.ttl * request.settings.eagerRefresh;
    return { value: entry.value, from: 'memory', marked: entry, age, due };
  }

  /** Never rejects: what is wrong with the request, its load says. */
  async #inStore(request: ReadRequest): Promise<Cached | undefined> {
    if (isHeld(request)) return undefined;
    try {
      const found = await this.#parts.fill.find({ ...request, compared: true });
      return found && { value: found.value, from: 'store', marked: found.marked, age: found.age, due: false };
    } catch {
      return undefined;
    }
  }

  // --- comparing

  #compare(request: ReadRequest, cached: Cached | undefined, loaded: Outcome, at: number): void {
    this.#tally(request.owner).read(cached !== undefined);
    if (cached === undefined) return this.#tell(request, undefined, 'miss');
    const { equals = isSameValue } = request;
    try {
      if (equals(cached.value, loaded.value)) return this.#tell(request, cached, 'same');
    } catch (error) {
      return this.#tell(request, cached, 'unknown', error);
    }
    const pair = { request, cached, loaded, at };
    const covered = this.#coverOf(pair);
    if (covered !== undefined) return this.#tell(request, cached, covered);
    if (this.#closed || this.#waiting.size >= MOST_WAITING) return this.#tell(request, cached, 'unknown');
    const { clock, node } = this.#parts;
    this.#waiting.set(
      pair,
      clock.schedule(node.follower.options.maxLag, () => this.#judge(pair)),
    );
  }

  #judge(pair: Pair): void {
    this.#waiting.get(pair)?.();
    this.#waiting.delete(pair);
    const { node, stopwatch } = this.#parts;
    const now = stopwatch.now();
    // Everything that was in the log when the load had ended is known here.
    const proven = node.attachedAt(now) && node.follower.provenAt(now) >= pair.at;
    this.#tell(pair.request, pair.cached, this.#coverOf(pair) ?? (proven ? 'differed' : 'unknown'));
  }

  /** Which of the two is older is not asked: what came from the store may be the newer one. */
  #coverOf({ request: { key }, cached, loaded }: Pair): 'changed' | 'unknown' | undefined {
    const { view } = this.#parts.node;
    const covers = [view.cover(cached.marked, key), view.cover(loaded.marked, key, loaded.turn)];
    const found = covers.filter((cover) => cover !== undefined);
    if (found.length === 0) return undefined;
    return found.some((cover) => cover !== 'epoch' && cover !== 'young') ? 'changed' : 'unknown';
  }

  #tell(request: ReadRequest, cached: Cached | undefined, outcome: ShadowOutcome, error?: unknown): void {
    const { events } = this.#parts;
    this.#tally(request.owner).judge(outcome);
    if (!events.heard) return;
    const found = cached === undefined ? {} : { from: cached.from, age: cached.age };
    events.emit({
      type: 'shadow',
      ...subjectOf(request),
      outcome,
      ...found,
      ...(error === undefined ? {} : { error }),
    });
  }

  /** Reads that belong to no query are counted by whoever listens. */
  #tally(owner: object = {}): ShadowTally {
    let tally = this.#tallies.get(owner);
    if (tally === undefined) {
      tally = new ShadowTally();
      this.#tallies.set(owner, tally);
    }
    return tally;
  }

  #has(guard: 'shadowLoads'): boolean {
    return !this.#parts.removed.has(guard);
  }
}
