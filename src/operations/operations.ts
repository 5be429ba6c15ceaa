import { wholeNumber } from '../cache/log-access.ts';
import { ReportPublisher } from '../cache/report-publisher.ts';
import { systemProcess } from '../cache/system-process.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Cache, KeyInput, ProcessName, Unsubscribe } from '../index.ts';
import type { BreakerLike } from './breaker-like.ts';
import type { BreakerStatus } from './breaker-status.ts';
import { type KeyExplanation, explain } from './explanation.ts';
import { type FleetHealth, fleetHealth } from './fleet.ts';
import type { Health, Verdict } from './health.ts';
import { type HealthOptions, healthSettings } from './health-options.ts';
import { HealthWatch } from './health-watch.ts';
import { Meter } from './meter.ts';
import type { Metrics, MetricsOptions } from './metrics.ts';
import { type NodeReportContent, nodeReport } from './node-report.ts';
import { RecentRecords } from './recent-records.ts';
import { Sampler } from './sampler.ts';
import { type SamplerOptions, samplerSettings } from './sampler-options.ts';
import type { Thresholds } from './thresholds.ts';

/** What is watched of a cache, and how. */
export interface OperationsOptions {
  /** What is counted; `false`: nothing but hits. */
  readonly metrics?: MetricsOptions | false;
  /** How many of the newest records are remembered for explanations, default 1,000; 0 for none. */
  readonly records?: number;
  /**
   * How often this node publishes how it is, for `fleet()` of all; default `'5s'`. It needs the part `reports`, as redis() brings it.
   * `false`: it publishes nothing, and is none of the fleet that it looks at.
   */
  readonly reportEvery?: Duration | false;
  /** What counts as healthy, and as ready. */
  readonly health?: HealthOptions;
  /**
   * What is compared with its source, and what that may cost; default one load a second at most. `false`: nothing, and health says
   * nothing of consistency.
   */
  readonly sampler?: SamplerOptions | false;
  /** Circuit breakers that health tells of. */
  readonly breakers?: readonly BreakerLike[];
}

/** Shortest time between two reports, in ms. */
const LEAST_PAUSE = 500;

const NAMES = ['metrics', 'records', 'reportEvery', 'health', 'sampler', 'breakers'];

/**
 * What keeps a cache healthy: its metrics and recent records. One for a cache; it ends with `close()`, not with the cache.
 */
export class Operations {
  readonly cache: Cache;
  /** What `metrics()` is made of, for whoever asks about a stretch of time, or merges what several nodes have measured. */
  readonly meter: Meter;
  /** The newest records that this node has applied. */
  readonly records: RecentRecords;
  /** Compares what is served with its source; `undefined` where that is switched off. */
  readonly sampler: Sampler | undefined;
  readonly #stopRecords: Unsubscribe;
  readonly #health: HealthWatch;
  readonly #breakers: readonly BreakerLike[];
  readonly #name: ProcessName = systemProcess();
  /** In ms; `undefined` of one that is none of the fleet. */
  readonly #reportEvery: number | undefined;
  readonly #publisher: ReportPublisher | undefined;

  /** @throws TidemarkError `INVALID_OPTION`, naming the option, before anything was started */
  constructor(cache: Cache, options: OperationsOptions = {}) {
    checkKnown(options, NAMES, 'createOperations()');
    const records = wholeNumber(options.records ?? 1_000, 'records', 0);
    const health = healthSettings(options.health ?? {});
    const sampler = options.sampler === false ? undefined : samplerSettings(options.sampler ?? {});
    this.#breakers = checkedBreakers(options.breakers ?? []);
    this.#reportEvery = reportEvery(options.reportEvery ?? '5s');
    this.cache = cache;
    this.meter = new Meter(cache, options.metrics);
    this.records = new RecentRecords(records);
    const { clock } = cache.parts.context;
    this.#stopRecords = cache.on(
      (event) => {
        if (event.type === 'applied') this.records.add({ record: event.record, appliedAt: clock.wall() });
      },
      { except: ['hit', 'read'] },
    );
    this.sampler = sampler && new Sampler(cache, sampler, () => this.records.list());
    const measured = options.metrics !== false;
    this.#health = new HealthWatch(health, {
      ...{ cache, measured, meter: this.meter, sampler: this.sampler, breakers: this.#breakers },
    });
    this.#publisher = this.#publish();
  }

  /** What this node has counted since the start or the last reset. */
  metrics(): Metrics {
    return this.meter.metrics();
  }

  /** Counts begin at zero again; what the tiers keep stays. */
  resetMetrics(): void {
    this.meter.reset();
  }

  /**
   * Why a read of a key would be answered as it would be: what the tiers have under it, whether each entry may be served, and if not,
   * which record covers it, who has sent that, when and why. It asks the log for records that this node does not remember.
   *
   * @throws TidemarkError `INVALID_KEY`, `CLOSED`
   * @example (await operations.explain('user:42')).entries[0]?.sentence;
   * // The entry in memory was loaded at ...; tag org:7 was invalidated 3.2 s later by orders#1a2b3c4d ('budget.updated'), ...
   */
  explain(key: KeyInput): Promise<KeyExplanation> {
    return explain(this, key);
  }

  /**
   * How all nodes and relays are, as far as their reports, the list of nodes and the server tell. Never rejects: what cannot be known is
   * among the reasons.
   */
  fleet(): Promise<FleetHealth> {
    const { cache, thresholds } = this;
    return fleetHealth({
      ...{ cache, thresholds, own: () => (this.#reportEvery === undefined ? undefined : this.#report()) },
    });
  }

  /** How this node is over the last minute, why, and what to do. It takes about two milliseconds. */
  health(): Health {
    return this.#health.health();
  }

  /** For a liveness probe: whether it would help to start this process anew. A node that is cut off from its servers lives. */
  live(): Verdict {
    return this.#health.live();
  }

  /**
   * For a readiness probe: whether requests should come here. A node that is detached answers by loading, and is ready, unless
   * `health.readyWhenAttached` says otherwise; only for the first seconds after its start it is not (`health.attachWithin`).
   */
  ready(): Verdict {
    return this.#health.ready();
  }

  /** What health is judged by. */
  get thresholds(): Thresholds {
    return this.#health.thresholds;
  }

  breakers(): readonly BreakerStatus[] {
    return this.#breakers.map((it) => it.status());
  }

  /** Ends everything that this has started; the cache goes on. A second call does nothing. */
  async close(): Promise<void> {
    const withdrawn = this.#publisher?.close();
    this.#health.close();
    this.sampler?.close();
    this.meter.close();
    this.#stopRecords();
    await withdrawn;
  }

  #publish(): ReportPublisher | undefined {
    const { node, reports, context } = this.cache.parts;
    const every = this.#reportEvery;
    if (reports === undefined || every === undefined) return undefined;
    const write = (): string => JSON.stringify(this.#report());
    const publisher = new ReportPublisher({ ...context, reports, node, every, write });
    publisher.start();
    return publisher;
  }

  #report(): NodeReportContent {
    return nodeReport({
      ...{ name: this.#name, health: this.health(), ready: this.ready().ok },
      ...{ window: this.#health.window(), status: this.cache.status() },
    });
  }
}

/** In ms; `undefined` for never. */
function reportEvery(option: Duration | false): number | undefined {
  if (option === false) return undefined;
  const every = milliseconds(option, 'reportEvery');
  if (every >= LEAST_PAUSE) return every;
  throw new TidemarkError(
    'INVALID_OPTION',
    `reportEvery: ${shorten(option)} is less than 500 ms, and every report costs each node milliseconds. Give '5s', or false for none.`,
  );
}

function checkedBreakers(breakers: readonly BreakerLike[]): readonly BreakerLike[] {
  const given: unknown = breakers;
  if (Array.isArray(given) && breakers.every((it) => typeof it?.status === 'function')) return [...breakers];
  throw new TidemarkError(
    'INVALID_OPTION',
    `breakers: ${shorten(given)} is not a list of circuit breakers. Give what createBreaker() returns.`,
  );
}

/**
 * Watches a cache.
 *
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure, before anything was started
 * @example
 * const operations = createOperations(cache);
 * operations.metrics().total.hitRate; // 0.97
 */
export function createOperations(cache: Cache, options: OperationsOptions = {}): Operations {
  return new Operations(cache, options);
}
