import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { type AtLeast, positionOf } from '../coherence/receipt.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Breaker } from './breaker.ts';

/** How values are kept and which ones a reader accepts. Durations are milliseconds, or texts such as `'5m'`. */
export interface ReadOptions {
  /** How long a value stays fresh; one for both tiers, or one for each. Default `'5m'`. About memory, not about truth. */
  readonly ttl?: Duration | { readonly memory?: Duration; readonly store?: Duration };
  /** Added to `ttl`: for so long an old value may stand in when the loader fails. Default 0. */
  readonly grace?: Duration;
  /** Hard limit of one load; then readers get a `LOAD_TIMEOUT`. Default `'30s'`. */
  readonly timeout?: Duration;
  /** After so long a reader gets the old value instead, where `grace` or `maxStaleness` has one. Default: never. */
  readonly softTimeout?: Duration;
  /** A hit later than this share of `ttl` (between 0 and 1) starts a refresh in the background. Default: never. */
  readonly eagerRefresh?: number;
  /** The `ttl` of a `null`. Default: as any other value. */
  readonly negativeTtl?: Duration;
  /** Up to this share of `ttl` (0 to 1) is taken off at random, so that entries do not expire together. Default 0. */
  readonly jitter?: number;
  /** A value proven valid at most so long ago is returned at once, while it is refreshed. Default 0. */
  readonly maxStaleness?: Duration;
  /** Around each load: while it is open, loads fail at once, and `grace` or `fallback` may stand in. Default: none. */
  readonly breaker?: Breaker;
  /** Never anything older than this write: its receipt, or the token from one. */
  readonly atLeast?: AtLeast;
  /** `false` reads past the cache; `true` opts in where the cache has `optIn`: short for `mode: 'off'` and `mode: 'on'`. */
  readonly enabled?: boolean;
  /**
   * `'on'`: reads through the cache. `'off'`: past it. `'shadow'`: past it too, but fills it, and measures how often it would have had
   * the value, and how often another one than was loaded; see `Query.shadow` and the event `shadow`.
   */
  readonly mode?: ReadMode;
}

/** How a value is read. See {@link ReadOptions.mode}. */
export type ReadMode = 'on' | 'shadow' | 'off';

/** {@link ReadOptions} checked, in milliseconds. */
export interface ReadSettings {
  readonly memoryTtl: number;
  readonly storeTtl: number;
  readonly grace: number;
  readonly timeout: number;
  readonly softTimeout: number;
  readonly eagerRefresh: number;
  readonly negativeTtl: number | undefined;
  readonly jitter: number;
  readonly maxStaleness: number;
  readonly breaker: Breaker | undefined;
  readonly atLeast: AtLeast | undefined;
  /** `undefined`: as the cache has it. */
  readonly mode: ReadMode | undefined;
}

/** By their type no name can be missing. */
const KNOWN: Record<keyof ReadOptions, true> = {
  ttl: true,
  grace: true,
  timeout: true,
  softTimeout: true,
  eagerRefresh: true,
  negativeTtl: true,
  jitter: true,
  maxStaleness: true,
  breaker: true,
  atLeast: true,
  enabled: true,
  mode: true,
};
const NAMES = Object.keys(KNOWN);

export const DEFAULT_READ_SETTINGS: ReadSettings = {
  memoryTtl: 300_000,
  storeTtl: 300_000,
  grace: 0,
  timeout: 30_000,
  softTimeout: Number.POSITIVE_INFINITY,
  eagerRefresh: Number.POSITIVE_INFINITY,
  negativeTtl: undefined,
  jitter: 0,
  maxStaleness: 0,
  breaker: undefined,
  atLeast: undefined,
  mode: undefined,
};

/**
 * Options over defaults, checked.
 *
 * @param where whose options they are, for messages
 * @param others names that may stand beside them, and are read elsewhere
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_TOKEN`, naming the option and the cure
 */
export function readSettings(
  options: ReadOptions | undefined,
  defaults: ReadSettings,
  where: string,
  others: readonly string[] = [],
): ReadSettings {
  if (options === undefined) return defaults;
  checkKnown(options, others.length === 0 ? NAMES : [...NAMES, ...others], where);
  if (options.atLeast !== undefined) positionOf(options.atLeast);
  const ms = (name: 'grace' | 'timeout' | 'softTimeout' | 'negativeTtl' | 'maxStaleness'): number | undefined =>
    options[name] === undefined ? undefined : milliseconds(options[name], name);
  return {
    ...ttls(options.ttl, defaults),
    grace: ms('grace') ?? defaults.grace,
    timeout: atLeastOne(ms('timeout'), 'timeout') ?? defaults.timeout,
    softTimeout: ms('softTimeout') ?? defaults.softTimeout,
    eagerRefresh: share(options.eagerRefresh, 'eagerRefresh') ?? defaults.eagerRefresh,
    negativeTtl: ms('negativeTtl') ?? defaults.negativeTtl,
    jitter: share(options.jitter, 'jitter') ?? defaults.jitter,
    maxStaleness: ms('maxStaleness') ?? defaults.maxStaleness,
    breaker: breakerOf(options.breaker) ?? defaults.breaker,
    atLeast: options.atLeast ?? defaults.atLeast,
    mode: modeOf(options, where) ?? defaults.mode,
  };
}

function breakerOf(breaker: Breaker | undefined): Breaker | undefined {
  if (breaker === undefined || (typeof breaker === 'object' && typeof breaker?.run === 'function')) return breaker;
  throw new TidemarkError(
    'INVALID_OPTION',
    `breaker: ${shorten(breaker)} is no breaker. Make one: createBreaker({ name: 'billing', board: cache.breakers }).`,
  );
}

function modeOf({ mode, enabled }: ReadOptions, where: string): ReadMode | undefined {
  if (mode !== undefined && enabled !== undefined)
    throw new TidemarkError('INVALID_OPTION', `${where}: enabled and mode are one switch. Give mode alone.`);
  if (mode !== undefined && !MODES.includes(mode))
    throw new TidemarkError('INVALID_OPTION', `mode: ${shorten(mode)} is none of 'on', 'shadow', 'off'.`);
  if (enabled === undefined) return mode;
  if (typeof enabled !== 'boolean')
    throw new TidemarkError('INVALID_OPTION', `enabled: ${shorten(enabled)} is neither true nor false.`);
  return enabled ? 'on' : 'off';
}

const MODES: readonly unknown[] = ['on', 'shadow', 'off'] satisfies ReadMode[];

function ttls(ttl: ReadOptions['ttl'], defaults: ReadSettings): Pick<ReadSettings, 'memoryTtl' | 'storeTtl'> {
  if (ttl === undefined) return { memoryTtl: defaults.memoryTtl, storeTtl: defaults.storeTtl };
  if (typeof ttl === 'object' && ttl !== null) {
    return {
      memoryTtl: ttl.memory === undefined ? defaults.memoryTtl : milliseconds(ttl.memory, 'ttl.memory'),
      storeTtl: ttl.store === undefined ? defaults.storeTtl : milliseconds(ttl.store, 'ttl.store'),
    };
  }
  const both = milliseconds(ttl, 'ttl');
  return { memoryTtl: both, storeTtl: both };
}

function share(value: number | undefined, option: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value <= 1)) return value;
  throw new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is not a share. Give a number from 0 to 1.`);
}

function atLeastOne(ms: number | undefined, option: string): number | undefined {
  if (ms === undefined || ms >= 1) return ms;
  throw new TidemarkError('INVALID_OPTION', `${option}: ${shorten(ms)} would fail every load. Give at least 1 ms.`);
}
