import type { Cache, CacheEvent, Cancel, Clock, Unsubscribe } from '../index.ts';
import type { BreakerLike } from './breaker-like.ts';
import { type Health, healthOf, type Verdict, verdict } from './health.ts';
import type { HealthSettings } from './health-options.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Meter } from './meter.ts';
import { judged } from './sample-counts.ts';
import type { Sampler } from './sampler.ts';
import type { Signs } from './signs.ts';
import type { Thresholds } from './thresholds.ts';
import type { Moment, Window } from './window.ts';

export interface HealthWatchParts {
  readonly cache: Cache;
  readonly meter: Meter;
  /** Whether it counts anything but hits. */
  readonly measured: boolean;
  readonly sampler: Sampler | undefined;
  readonly breakers: readonly BreakerLike[];
}

/** The window is made of so many steps. */
const STEPS = 6;

/** Follows what health is judged by over the window. */
export class HealthWatch {
  readonly #parts: HealthWatchParts;
  readonly #settings: HealthSettings;
  readonly #clock: Clock;
  readonly #heartbeat: Heartbeat;
  readonly #startedAt: number;
  readonly #end: Unsubscribe;
  /** Oldest first: the first one began the window. */
  #marks: { readonly moment: Moment; readonly at: number; readonly storeFailures: number }[] = [];
  #storeFailures = 0;
  #detachedAt: number | undefined;
  #everAttached = false;
  #step: Cancel | undefined;
  #closed = false;

  constructor(settings: HealthSettings, parts: HealthWatchParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#clock = parts.cache.parts.context.clock;
    this.#startedAt = this.#clock.monotonic();
    this.#heartbeat = new Heartbeat(this.#clock, this.#settings.window);
    this.#end = parts.cache.on((event) => this.#heard(event), { except: ['hit', 'read'] });
    this.#noteAttached(parts.cache.status().attached);
    this.#mark();
  }

  get thresholds(): Thresholds {
    return this.#settings.thresholds;
  }

  health(): Health {
    return healthOf(this.#signs(), this.#settings);
  }

  /** For a liveness probe: whether it would help to start this process anew. */
  live(): Verdict {
    return verdict([
      ...this.#ended(),
      ...(this.#heartbeat.blocked ? ['The event loop is blocked: three beats in a row were more than 5 s late.'] : []),
    ]);
  }

  /**
   * For a readiness probe: whether requests should come here. A detached node answers by loading, and when the log's server is down
   * every node is detached: were they not ready then, nobody would answer.
   */
  ready(): Verdict {
    const { attachWithin, readyWhenAttached } = this.#settings;
    const ended = this.#ended();
    if (ended.length > 0) return verdict(ended);
    const { attached } = this.#parts.cache.status();
    this.#noteAttached(attached);
    if (attached) return verdict([]);
    if (readyWhenAttached) return verdict(['Detached from the log, and readyWhenAttached is set.']);
    const waits = !this.#everAttached && this.#clock.monotonic() - this.#startedAt < attachWithin;
    return verdict(
      waits ? [`Not attached to the log yet; ready ${attachWithin / 1_000} s after the start in any case.`] : [],
    );
  }

  close(): void {
    this.#closed = true;
    this.#end();
    this.#step?.();
    this.#heartbeat.close();
  }

  #ended(): string[] {
    if (this.#parts.cache.closed) return ['The cache is closed.'];
    return this.#closed ? ['Its operations are closed.'] : [];
  }

  #signs(): Signs {
    const { cache, meter, sampler, breakers, measured } = this.#parts;
    const { attached, provenAge, maxLag, queued, entries } = cache.status();
    const { invalidations, efficiency } = meter.metrics();
    const window = this.window();
    const reads = window.hits + window.missed;
    const says = measured && reads >= this.#settings.leastReads;
    const sampled = sampler?.report();
    const { loads, loadFailures, evicted } = window;
    return {
      ...{ closed: this.#ended().length > 0, reads, provenAge, maxLag, queued, loads, loadFailures, evicted, entries },
      hitRate: says ? window.hitRate : undefined,
      latencyP95: says ? window.latency.p95 : undefined,
      consistencyScore:
        sampled !== undefined && judged(sampled.recent) >= this.#settings.leastSamples ? sampled.score : undefined,
      standing: sampler?.standing() ?? [],
      // What is queued detaches a node, too: that is said of the queue.
      detachedFor: queued > 0 && provenAge <= maxLag ? undefined : this.#detachedFor(attached),
      storeFailures: this.#storeFailures - (this.#first()?.storeFailures ?? 0),
      tenants: invalidations.byTenant,
      breakers: breakers.map((it) => it.status()),
      lateBy: this.#heartbeat.latest(),
      advice: efficiency.advice,
    };
  }

  #detachedFor(attached: boolean): number | undefined {
    this.#noteAttached(attached);
    return this.#detachedAt === undefined ? undefined : this.#clock.monotonic() - this.#detachedAt;
  }

  #noteAttached(attached: boolean): void {
    if (attached) this.#everAttached = true;
    this.#detachedAt = attached ? undefined : (this.#detachedAt ?? this.#clock.monotonic());
  }

  #heard(event: CacheEvent): void {
    if (event.type === 'store-failed') this.#storeFailures++;
    else if (event.type === 'attached' || event.type === 'detached') this.#noteAttached(event.type === 'attached');
  }

  // --- the window

  /** What happened in the stretch of time that health looks at. */
  window(): Window {
    const { meter } = this.#parts;
    return meter.since(this.#first()?.moment ?? meter.mark());
  }

  /** The youngest mark that is at least as old as the window; the oldest, in the beginning. */
  #first(): { readonly moment: Moment; readonly storeFailures: number } | undefined {
    const begin = this.#clock.monotonic() - this.#settings.window;
    return this.#marks.findLast(({ at }) => at <= begin) ?? this.#marks[0];
  }

  #mark(): void {
    const at = this.#clock.monotonic();
    const first = this.#first();
    this.#marks = this.#marks.slice(
      Math.max(
        0,
        this.#marks.findIndex((it) => it === first),
      ),
    );
    this.#marks.push({ moment: this.#parts.meter.mark(), at, storeFailures: this.#storeFailures });
    this.#step = this.#clock.schedule(this.#settings.window / STEPS, () => this.#mark());
  }
}
