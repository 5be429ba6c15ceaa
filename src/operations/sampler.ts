import type { Cache, CacheEvent, Cancel, Clock, Sample, Unsubscribe } from '../index.ts';
import { Comparison } from './comparison.ts';
import { Findings } from './findings.ts';
import { LEVELS, type Nines, ninesOf } from './nines.ts';
import type { RecentRecord } from './recent-records.ts';
import { consistencyScore, type SampleCounts, SampleHistory, type SampleOutcome } from './sample-counts.ts';
import type { SamplerSettings } from './sampler-options.ts';
import { SourceTrouble } from './source-trouble.ts';
import type { Violation } from './violation.ts';

/** What the sampler knows. */
export interface SamplerReport {
  /** Milliseconds since 1970: since when it samples, and now. */
  readonly since: number;
  readonly at: number;
  /** Of all samples, and of those in the window (in ms). */
  readonly counts: SampleCounts;
  readonly window: number;
  readonly recent: SampleCounts;
  /** Samples that are not judged yet. */
  readonly waiting: number;
  /** Loads that it has made. */
  readonly loads: number;
  /** Why it makes none just now: this process has loads enough, or they fail. */
  readonly paused: 'busy' | 'failing' | undefined;
  /** 0 to 100, of the window; see `consistencyScore`. `undefined` where nothing was judged. */
  readonly score: number | undefined;
  /** Of all samples. */
  readonly nines: readonly Nines[];
  /** Newest first. */
  readonly violations: readonly Violation[];
}

/** Hears of each violation, when it is found. */
export type ViolationListener = (violation: Violation) => void;

/** Most samples that wait for their next look; then no new one is taken. */
const MOST_WAITING = 100;

/**
 * Compares what readers are served with what the source has: one sample now and then, by a load that reaches no reader and is kept
 * nowhere. See {@link Comparison} for when a difference counts.
 *
 * - It makes so many loads a second at most, one at a time, second looks included and first.
 * - It makes none while this process has loads enough, or while they fail.
 * - It takes what memory or the store has served, of queries; nothing that its reader has let be old.
 */
export class Sampler {
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #settings: SamplerSettings;
  readonly #history: SampleHistory;
  readonly #findings: Findings;
  readonly #trouble: SourceTrouble = new SourceTrouble();
  readonly #since: number;
  readonly #ends: readonly Unsubscribe[];
  /** What is not judged yet, with its timers. */
  readonly #waiting = new Map<Comparison, Cancel[]>();
  /** Whose next look is due, the longest first. */
  readonly #due: Comparison[] = [];
  #pump: Cancel | undefined;
  /** Of the sample that came last: they are all of one process. */
  #busy: () => boolean = () => false;
  #loading = false;
  #loads = 0;
  #nextAt: number;
  #closed = false;

  /** @param records the newest that this node has applied, newest first */
  constructor(cache: Cache, settings: SamplerSettings, records: () => readonly RecentRecord[]) {
    this.#settings = settings;
    const { context } = cache.parts;
    this.#cache = cache;
    this.#clock = context.clock;
    this.#random = context.random;
    this.#history = new SampleHistory(this.#settings.window);
    this.#findings = new Findings({ cache, records, ...this.#settings });
    this.#since = this.#clock.wall();
    this.#nextAt = this.#clock.monotonic();
    this.#ends = [
      cache.onSample((sample) => this.#offered(sample), { wants: (query, at) => this.#wants(query, at) }),
      cache.on((event) => this.#heard(event), { except: ['hit', 'read'] }),
    ];
  }

  report(): SamplerReport {
    const { total } = this.#history;
    const { window } = this.#settings;
    const recent = this.#history.recent(this.#clock.monotonic());
    return {
      ...{ since: this.#since, at: this.#clock.wall(), counts: total, window, recent },
      ...{ waiting: this.#waiting.size, loads: this.#loads, paused: this.#paused() },
      ...{ score: consistencyScore(recent), nines: ninesOf(total), violations: this.#findings.list() },
    };
  }

  /** Violations of the window that still stand: nothing has covered or replaced what was served. */
  standing(): readonly Violation[] {
    return this.#findings.standing();
  }

  /** Calls `listener` with each violation that is found, until the returned function is called. */
  on(listener: ViolationListener): Unsubscribe {
    return this.#findings.on(listener);
  }

  /** What is not judged yet is forgotten. A second call does nothing. */
  close(): void {
    this.#closed = true;
    for (const end of this.#ends) end();
    for (const comparison of [...this.#waiting.keys()]) this.#drop(comparison);
    this.#pump?.();
    this.#findings.close();
  }

  // --- taking samples. In the way of a read: it is quick, and throws nothing

  #wants(query: string | undefined, at: number): boolean {
    if (at < this.#nextAt || this.#loading || this.#due.length > 0) return false;
    return this.#waiting.size < MOST_WAITING && this.#settings.includes(query);
  }

  #offered(sample: Sample): void {
    if (sample.from === 'loader' || sample.stale || sample.mark === undefined) return;
    this.#busy = () => sample.busy();
    if (this.#paused() !== undefined) return;
    const comparison = new Comparison(sample, this.#clock);
    const looks = LEVELS.map((ms) => this.#clock.schedule(ms, () => this.#glance(comparison, ms)));
    this.#waiting.set(comparison, looks);
    void this.#look(comparison);
  }

  #paused(): 'busy' | 'failing' | undefined {
    if (this.#trouble.at(this.#clock.monotonic())) return 'failing';
    return this.#busy() ? 'busy' : undefined;
  }

  #heard(event: CacheEvent): void {
    if (event.type === 'loaded' || event.type === 'load-failed')
      this.#trouble.add(event.type === 'load-failed', this.#clock.monotonic());
    if (event.type !== 'detached' && event.type !== 'epoch') return;
    for (const comparison of this.#waiting.keys()) comparison.unclear = true;
  }

  // --- looking

  /** Where it is covered by now, it needs no further look. */
  #glance(comparison: Comparison, ms: number): void {
    comparison.glance(ms);
    if (comparison.known !== undefined && comparison.looks.length > 0) this.#judge(comparison, comparison.known);
  }

  async #look(comparison: Comparison): Promise<void> {
    this.#loading = true;
    this.#nextAt = this.#clock.monotonic() + this.#settings.interval * (1 + this.#random() / 2);
    const looked = comparison.looks.length;
    try {
      const outcome = await comparison.look();
      if (comparison.looks.length > looked) this.#loaded(false);
      if (outcome === undefined) this.#again(comparison);
      else this.#judge(comparison, outcome);
    } catch {
      this.#loaded(true);
      this.#judge(comparison, 'failed');
    } finally {
      this.#loading = false;
      this.#next();
    }
  }

  #loaded(failed: boolean): void {
    this.#loads++;
    this.#trouble.add(failed, this.#clock.monotonic());
  }

  /** One look more, or the end: what was in the log at the last look is here `maxLag` later, or this node is cut off. */
  #again(comparison: Comparison): void {
    const timers = this.#waiting.get(comparison);
    if (timers === undefined) return;
    const next = this.#settings.recheck[comparison.looks.length - 1];
    if (next === undefined) {
      const { maxLag } = this.#cache.status();
      timers.push(this.#clock.schedule(maxLag, () => this.#conclude(comparison)));
      return;
    }
    const due = (): void => {
      comparison.glance();
      if (comparison.known !== undefined) return this.#judge(comparison, comparison.known);
      this.#due.push(comparison);
      this.#next();
    };
    timers.push(this.#clock.schedule(Math.max(0, next - comparison.elapsed), due));
  }

  #conclude(comparison: Comparison): void {
    const { attached, provenAge } = this.#cache.status();
    this.#judge(comparison, comparison.conclude(attached, provenAge));
  }

  /** Second looks come before new samples. */
  #next(): void {
    if (this.#closed || this.#loading || this.#due.length === 0) return;
    this.#pump?.();
    const wait = Math.max(
      this.#nextAt - this.#clock.monotonic(),
      this.#paused() === undefined ? 0 : this.#settings.interval,
    );
    if (wait > 0) {
      this.#pump = this.#clock.schedule(wait, () => this.#next());
      return;
    }
    const comparison = this.#due.shift();
    // It may have been judged while it waited.
    if (comparison !== undefined && !this.#waiting.has(comparison)) return this.#next();
    if (comparison !== undefined) void this.#look(comparison);
  }

  #judge(comparison: Comparison, outcome: SampleOutcome): void {
    if (!this.#drop(comparison)) return;
    this.#history.add(outcome, this.#clock.monotonic());
    if (outcome === 'violations') this.#findings.add('violation', comparison);
    if (outcome === 'unstable' || outcome === 'mutated') this.#findings.add(outcome, comparison);
  }

  /** Returns whether it still waited. */
  #drop(comparison: Comparison): boolean {
    for (const cancel of this.#waiting.get(comparison) ?? []) cancel();
    return this.#waiting.delete(comparison);
  }
}
