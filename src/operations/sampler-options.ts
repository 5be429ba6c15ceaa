import { wholeNumber } from '../cache/log-access.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { canonicalKey } from '../coherence/key.ts';
import { checkKnown } from '../coherence/known-options.ts';

/** What is sampled, and what that may cost. */
export interface SamplerOptions {
  /** Loads a second at most, second looks included, one at a time; default 1. A fraction is a load every few seconds. */
  readonly loads?: number;
  /** Names of the queries that are sampled; `'(keys)'` for reads by key. Default: every query, and not `'(keys)'`. */
  readonly only?: readonly string[];
  /** Names of queries that are not: whose loaders are dear, or do more than load. */
  readonly except?: readonly string[];
  /**
   * How long after it was served something that differs is looked at again; what differs at the last look, too, counts. Ascending;
   * default `['1s', '5s', '60s']`.
   */
  readonly recheck?: readonly Duration[];
  /** The time that the score is about, default `'10m'`. */
  readonly window?: Duration;
  /** How many stories of violations are kept, default 100. */
  readonly keep?: number;
  /** Whether stories have the values themselves, default false: a hash of each. */
  readonly values?: boolean;
}

export interface SamplerSettings {
  /** Milliseconds between two loads at least. */
  readonly interval: number;
  readonly recheck: readonly number[];
  readonly window: number;
  readonly keep: number;
  readonly values: boolean;
  /** @param query its path, `undefined` for what is read by key */
  readonly includes: (query: string | undefined) => boolean;
}

const NAMES = ['loads', 'only', 'except', 'recheck', 'window', 'keep', 'values'];

/** What is read by key, in lists of queries. */
const KEYS = '(keys)';

/** @throws TidemarkError `INVALID_OPTION` */
export function samplerSettings(options: SamplerOptions): SamplerSettings {
  checkKnown(options, NAMES, 'sampler');
  const {
    loads = 1,
    only,
    except,
    recheck = ['1s', '5s', '60s'],
    window = '10m',
    keep = 100,
    values = false,
  } = options;
  if (!(typeof loads === 'number' && loads > 0 && loads <= 1_000))
    throw invalid(
      'loads',
      loads,
      'is not a number of loads a second. Give one above 0, up to 1000; or `sampler: false`',
    );
  if (typeof values !== 'boolean') throw invalid('values', values, 'is neither true nor false');
  const included = names(only, 'only');
  const excluded = names(except, 'except') ?? new Set();
  const ms = milliseconds(window, 'sampler.window');
  if (!(ms >= 1_000)) throw invalid('window', window, "is too short. Give at least '1s'");
  return {
    ...{ interval: 1_000 / loads, recheck: looks(recheck), window: ms, values },
    keep: wholeNumber(keep, 'sampler.keep'),
    includes: (query) => (included?.has(query ?? KEYS) ?? query !== undefined) && !excluded.has(query ?? KEYS),
  };
}

function names(list: readonly string[] | undefined, option: string): ReadonlySet<string> | undefined {
  if (list === undefined) return undefined;
  if (!isArray(list) || list.some((it) => typeof it !== 'string'))
    throw invalid(option, list, "is not a list of names of queries. Give such as ['fr:budgets', '(keys)']");
  return new Set(list.map((it) => (it === KEYS ? it : canonicalKey(it))));
}

function looks(list: readonly Duration[]): readonly number[] {
  const all = isArray(list) ? list.map((it) => milliseconds(it, 'sampler.recheck')) : [];
  if (all.length === 0 || all.some((ms, i) => !(ms > (all[i - 1] ?? 0))))
    throw invalid('recheck', list, "is not a list of ascending durations. Give such as ['1s', '5s', '60s']");
  return all;
}

/** That of JavaScript forgets what is in the list. */
function isArray<T>(list: readonly T[]): list is readonly T[] {
  return Array.isArray(list);
}

function invalid(option: string, value: unknown, problem: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `sampler.${option}: ${shorten(value)} ${problem}.`);
}
