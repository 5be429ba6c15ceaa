import type { Clock } from '../coherence/clock.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKey } from '../coherence/key.ts';
import type { InvalidationLog, LogOptions } from '../coherence/log.ts';
import { type LogSettings, logOptions } from '../coherence/log-options.ts';
import type { Logger } from '../coherence/logger.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import type { Part, PartContext } from '../coherence/part.ts';
import type { Presence } from '../coherence/presence.ts';
import type { ServerCheck } from '../coherence/server-check.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { type Breaker, type BreakerBoard, noBreaker } from './breaker.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Compression } from './compression.ts';
import { type Lease, noLease } from './lease.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { memoryBreakerBoard } from './memory-breaker-board.ts';
import type { MemoryLimits } from './memory-tier.ts';
import type { Places } from './places.ts';
import { DEFAULT_READ_SETTINGS, type ReadOptions, type ReadSettings, readSettings } from './read-options.ts';
import type { Reports } from './reports.ts';
import { type Serializer, type SerializerOption, serializersOf } from './serializer.ts';
import { bytes, type Size } from './size.ts';
import type { Store } from './store.ts';
import { systemClock, systemRandom } from './system-clock.ts';
import type { Tracing } from './tracing.ts';

/** What a cache is made of. Only `name` is required: then it lives in this process, in memory. */
export interface CacheOptions extends Pick<LogSettings, 'maxLag' | 'maxLife' | 'slots' | 'hashes'> {
  /** Namespaces the log and the store; one name is one coherent cache. */
  readonly name: string;
  /** Put before `name`, so that environments can share servers. */
  readonly prefix?: string;
  /** `false`: every read goes to its loader and nothing is kept; invalidations still travel. Default true. */
  readonly enabled?: boolean;
  /** `true`: only reads and queries with `enabled: true` are cached. Default false. */
  readonly optIn?: boolean;
  /** Values in this process: default 10,000 entries and `'64mb'`; `false` for none. */
  readonly memory?: { readonly maxEntries?: number; readonly maxBytes?: Size } | false;
  readonly store?: Part<Store>;
  /** Default {@link memoryLog}: this process only. */
  readonly log?: Part<InvalidationLog>;
  readonly check?: Part<ServerCheck>;
  readonly lease?: Part<Lease>;
  /** What `loads.fleet` is counted in. */
  readonly places?: Part<Places>;
  /** The nodes of the fleet, for invalidations that are acknowledged everywhere. */
  readonly presence?: Part<Presence>;
  /** Where the nodes of the fleet say how they are, for `tidemark/operations`. */
  readonly reports?: Part<Reports>;
  /** What tools look at on the fleet's server, for `tidemark/operations`. */
  readonly diagnostics?: Part<Diagnostics>;
  /** Spans of loads, of requests to the store, and of invalidations on every node; see `tidemark/opentelemetry`. */
  readonly tracing?: Part<Tracing>;
  /**
   * Strict writes (`announce`) are promised to this cache's readers; give it to every process of the fleet. It needs `presence`, or a
   * log in this process. Where the log is elsewhere, nothing is served or kept for twice `maxLag` after a start and in each new
   * epoch, loads are not shared while detached, and a reader's tolerance ends where a strict write begins. Default false.
   */
  readonly strict?: boolean;
  /** Around the requests to the store. */
  readonly breaker?: Part<Breaker>;
  /** Where the fleet's breakers tell each other what they find, as `Cache.breakers`; default: this process only. */
  readonly breakers?: Part<BreakerBoard>;
  /** How values are written to the store: `'json'` (default), `'msgpack'`, or one of your own. */
  readonly serializer?: SerializerOption;
  /** Compress stored values above a size; default `'1kb'`; `false` for never. */
  readonly compression?: { readonly above?: Size } | false;
  /**
   * Loaders that may run at once: `concurrency` in this process, default 100; `fleet` in all processes together, default no
   * limit, one more round trip for each load. A loader that reads through the cache keeps its place while it
   * waits for what it reads, so leave more places than loaders are nested.
   */
  readonly loads?: { readonly concurrency?: number; readonly fleet?: number };
  /** What a node that cannot prove its view fresh does with what it has: `'load'` (default), or serve it for so much longer. */
  readonly whenDetached?: 'load' | { readonly serve: Duration };
  /** How long an invalidation is retried before its receipt says `queued`; default `'250ms'`. */
  readonly patience?: Duration;
  /** Invalidations that wait for the log before they become one of everything; default 10,000. */
  readonly maxQueue?: number;
  /** Deadline of one request to the store, lease or server check; default `'250ms'`. */
  readonly requestTimeout?: Duration;
  /** Freeze values in memory, so that a reader that changes one fails; default: unless NODE_ENV is `production`. */
  readonly freeze?: boolean;
  /** A pino logger, or anything with its `debug`, `info`, `warn` and `error`. */
  readonly logger?: Logger;
  readonly logHits?: boolean;
  readonly logMisses?: boolean;
  /** For every read that does not say otherwise. */
  readonly defaults?: Omit<ReadOptions, 'atLeast' | 'enabled'>;
  readonly clock?: Clock;
  /** Numbers in [0, 1), for ids, epochs and jitter; default: the system's. */
  readonly random?: () => number;
}

/** {@link CacheOptions}, checked and complete. */
export interface CacheSettings {
  readonly context: PartContext;
  readonly enabled: boolean;
  readonly optIn: boolean;
  readonly memory: MemoryLimits | undefined;
  readonly store: Store | undefined;
  readonly log: InvalidationLog;
  /** What was made for this cache, and ends with it; a part that was handed in as it is belongs to whoever made it. */
  readonly owned: readonly { close(): Promise<void> }[];
  readonly check: ServerCheck | undefined;
  readonly lease: Lease;
  readonly presence: Presence | undefined;
  readonly reports: Reports | undefined;
  readonly diagnostics: Diagnostics | undefined;
  readonly tracing: Tracing | undefined;
  readonly strict: boolean;
  readonly breaker: Breaker;
  readonly breakers: BreakerBoard;
  readonly serializers: readonly Serializer[];
  readonly compression: Compression | undefined;
  readonly concurrency: number;
  readonly fleetLoads: { readonly limit: number; readonly places: Places } | undefined;
  readonly serveDetached: number;
  readonly logOptions: LogOptions;
  readonly patience: number;
  readonly maxQueue: number;
  readonly requestTimeout: number;
  readonly freeze: boolean;
  readonly logHits: boolean;
  readonly logMisses: boolean;
  readonly defaults: ReadSettings;
}

/** By their type no name can be missing. */
const KNOWN: Record<keyof CacheOptions, true> = {
  name: true,
  maxLag: true,
  maxLife: true,
  slots: true,
  hashes: true,
  prefix: true,
  enabled: true,
  optIn: true,
  memory: true,
  store: true,
  log: true,
  check: true,
  lease: true,
  places: true,
  presence: true,
  reports: true,
  diagnostics: true,
  tracing: true,
  strict: true,
  breaker: true,
  breakers: true,
  serializer: true,
  compression: true,
  loads: true,
  whenDetached: true,
  patience: true,
  maxQueue: true,
  requestTimeout: true,
  freeze: true,
  logger: true,
  logHits: true,
  logMisses: true,
  defaults: true,
  clock: true,
  random: true,
};

/**
 * Checks everything before anything is made.
 *
 * @param distrustful see `Stopwatch`
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_KEY`, naming the option and the cure
 */
export function cacheSettings(options: CacheOptions, distrustful = true): CacheSettings {
  if (typeof options !== 'object' || options === null || typeof options.name !== 'string' || options.name === '') {
    throw new TidemarkError(
      'INVALID_OPTION',
      `name: ${shorten(options?.name)} is not a name. Give the cache one: createCache({ name: 'shop' }).`,
    );
  }
  checkKnown(options, Object.keys(KNOWN), 'createCache');
  const clock = options.clock ?? systemClock;
  const checked = {
    logOptions: logOptions(options),
    memory: memoryLimits(options.memory),
    serializers: serializersOf(options.serializer),
    compression:
      options.compression === false
        ? undefined
        : { above: bytes(options.compression?.above ?? '1kb', 'compression.above') },
    concurrency: count(options.loads?.concurrency ?? 100, 'loads.concurrency'),
    serveDetached: serveDetached(options.whenDetached),
    patience: milliseconds(options.patience ?? '250ms', 'patience'),
    maxQueue: count(options.maxQueue ?? 10_000, 'maxQueue'),
    requestTimeout: milliseconds(options.requestTimeout ?? '250ms', 'requestTimeout'),
    defaults: readSettings(options.defaults, DEFAULT_READ_SETTINGS, 'defaults'),
    enabled: options.enabled ?? true,
    optIn: options.optIn ?? false,
    strict: options.strict ?? false,
    freeze: options.freeze ?? process.env.NODE_ENV !== 'production',
    logHits: options.logHits ?? false,
    logMisses: options.logMisses ?? false,
  };
  const fleet = options.loads?.fleet === undefined ? undefined : count(options.loads.fleet, 'loads.fleet');
  if (fleet !== undefined && options.places === undefined)
    throw new TidemarkError(
      'INVALID_OPTION',
      'loads.fleet: the processes of a fleet need something to count in. Give the part `places`, as redis() does.',
    );
  const context: PartContext = {
    name: checkKey(options.prefix === undefined ? options.name : `${options.prefix}:${options.name}`),
    clock,
    stopwatch: new Stopwatch(clock, distrustful),
    random: options.random ?? systemRandom(),
    logger: options.logger,
    logOptions: checked.logOptions,
  };
  const log = make(options.log ?? memoryLog(options), context);
  if (checked.strict && options.presence === undefined && log.attach === undefined) {
    if (typeof options.log === 'function') void log.close();
    throw new TidemarkError(
      'INVALID_OPTION',
      'strict: a strict write waits for every node, and this cache does not know its nodes. Give createCache the part `presence` that belongs to its log, as redis() does.',
    );
  }
  const made = {
    log,
    store: make(options.store, context),
    check: make(options.check, context),
    lease: make(options.lease, context),
    presence: make(options.presence, context),
    reports: make(options.reports, context),
    diagnostics: make(options.diagnostics, context),
    tracing: make(options.tracing, context),
    places: fleet === undefined ? undefined : make(options.places, context),
    breaker: make(options.breaker, context),
    breakers: make(options.breakers ?? memoryBreakerBoard(), context),
  };
  return {
    ...checked,
    context,
    ...made,
    owned: (Object.keys(made) as (keyof typeof made)[])
      .filter((name) => typeof options[name] !== 'object')
      .map((name) => made[name])
      .filter((part) => isClosable(part)),
    lease: made.lease ?? noLease,
    fleetLoads: fleet === undefined || made.places === undefined ? undefined : { limit: fleet, places: made.places },
    breaker: made.breaker ?? noBreaker,
  };
}

function make<T extends object>(part: Part<T>, context: PartContext): T;
function make<T extends object>(part: Part<T> | undefined, context: PartContext): T | undefined;
function make<T extends object>(part: Part<T> | undefined, context: PartContext): T | undefined {
  return typeof part === 'function' ? part(context) : part;
}

function isClosable(part: object | undefined): part is { close(): Promise<void> } {
  return part !== undefined && 'close' in part && typeof part.close === 'function';
}

function memoryLimits(memory: CacheOptions['memory']): MemoryLimits | undefined {
  if (memory === false) return undefined;
  return {
    maxEntries: count(memory?.maxEntries ?? 10_000, 'memory.maxEntries'),
    maxBytes: bytes(memory?.maxBytes ?? '64mb', 'memory.maxBytes'),
  };
}

function serveDetached(option: CacheOptions['whenDetached']): number {
  if (option === undefined || option === 'load') return 0;
  if (typeof option === 'object' && option !== null) return milliseconds(option.serve, 'whenDetached.serve');
  throw new TidemarkError('INVALID_OPTION', `whenDetached: ${shorten(option)} is neither 'load' nor { serve: '10s' }.`);
}

function count(value: number, option: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is not a positive whole number.`);
}
