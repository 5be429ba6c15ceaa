import type { Cache, Cancel, Sample, Unsubscribe } from '../index.ts';
import type { Comparison } from './comparison.ts';
import type { RecentRecord } from './recent-records.ts';
import { type Violation, type ViolationKind, violationOf } from './violation.ts';

export interface FindingsParts {
  readonly cache: Cache;
  /** Newest first. */
  readonly records: () => readonly RecentRecord[];
  /** How many are kept, and for how long, in ms, one stands. */
  readonly keep: number;
  readonly window: number;
  readonly values: boolean;
}

interface Finding {
  readonly violation: Violation;
  readonly sample: Sample;
  /** Monotonic, in ms. */
  readonly at: number;
  over: boolean;
  visits: number;
}

/** Between two looks whether what was served wrongly is still there, in ms. */
const PATROL = 5_000;

/** What the samples have shown, and whether it is over: covered, or no longer in any tier here. */
export class Findings {
  readonly #parts: FindingsParts;
  readonly #listeners = new Set<(violation: Violation) => void>();
  /** Oldest first. */
  #all: Finding[] = [];
  /** Queries of which it was said that their source does not agree with itself: once is enough for a log. */
  readonly #said = new Set<string>();
  #patrol: Cancel | undefined;
  #closed = false;

  constructor(parts: FindingsParts) {
    this.#parts = parts;
  }

  /** Newest first. */
  list(): readonly Violation[] {
    return this.#all.map(({ violation }) => violation).toReversed();
  }

  standing(): readonly Violation[] {
    return this.#standing().map(({ violation }) => violation);
  }

  on(listener: (violation: Violation) => void): Unsubscribe {
    const own = (violation: Violation): void => listener(violation);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  add(kind: ViolationKind, comparison: Comparison): void {
    const { cache, records, keep, values } = this.#parts;
    const { context, node } = cache.parts;
    const telling = { node, wall: context.clock.wall(), values, records: records() };
    const violation = violationOf(kind, comparison, telling);
    const [sample, at] = [comparison.sample, context.clock.monotonic()];
    const finding = { violation, sample, at, over: kind !== 'violation', visits: 0 };
    this.#all = [...this.#all, finding].slice(-keep);
    this.#tell(violation);
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#patrol?.();
  }

  #standing(): Finding[] {
    const now = this.#parts.cache.parts.context.clock.monotonic();
    for (const it of this.#all)
      if (!it.over && (now - it.at >= this.#parts.window || it.sample.cover() !== undefined)) it.over = true;
    return this.#all.filter(({ over }) => !over);
  }

  /** One is looked at at a time, in turn: where all of a cache is wrong, it does not matter which is over first. */
  #arm(): void {
    const [finding] = this.#standing().toSorted((a, b) => a.visits - b.visits);
    if (finding === undefined || this.#patrol !== undefined || this.#closed) return;
    finding.visits++;
    this.#patrol = this.#parts.cache.parts.context.clock.schedule(PATROL, () => {
      void this.#visit(finding).then(() => {
        this.#patrol = undefined;
        this.#arm();
      });
    });
  }

  async #visit(finding: Finding): Promise<void> {
    const { sample } = finding;
    try {
      const { attached, entries } = await this.#parts.cache.inspect(sample.key);
      const isThere = entries.some(({ verdict, value }) => verdict === 'fresh' && sample.agrees(value));
      if (attached && !isThere) finding.over = true;
    } catch {
      // The cache is closed, or its store cannot be asked: it stands as long as the window lasts.
    }
  }

  #tell(violation: Violation): void {
    const { logger } = this.#parts.cache.parts.context;
    const { kind, key, query, from, message, recommendation } = violation;
    const isNews = kind !== 'unstable' || !this.#said.has(query ?? key);
    if (kind === 'unstable' && this.#said.size < 1_000) this.#said.add(query ?? key);
    const fields = { event: 'cache_inconsistent', kind, key, query, from, violation };
    try {
      if (isNews) logger?.warn(fields, `cache_inconsistent: ${message} ${recommendation}`);
      for (const listener of this.#listeners) listener(violation);
    } catch (error) {
      logger?.error({ event: 'cache_listener', err: error }, 'cache_listener: a listener to violations threw');
    }
  }
}
