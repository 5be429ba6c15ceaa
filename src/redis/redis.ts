import { checkKnown } from '../coherence/known-options.ts';
import type { BreakerBoard } from '../cache/breaker.ts';
import type { Diagnostics } from '../cache/diagnostics.ts';
import type { Lease } from '../cache/lease.ts';
import type { Places } from '../cache/places.ts';
import type { Reports } from '../cache/reports.ts';
import { bytes } from '../cache/size.ts';
import type { Store } from '../cache/store.ts';
import { milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { InvalidationLog } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import type { Presence } from '../coherence/presence.ts';
import type { ServerCheck } from '../coherence/server-check.ts';
import { Backend } from './backend.ts';
import { RedisBreakerBoard } from './breaker-board.ts';
import { RedisDiagnostics } from './diagnostics.ts';
import { checkClient, lazyDriver } from './driver.ts';
import { KeyScan, type KeyScanParts } from './key-scan.ts';
import { RedisLease } from './lease.ts';
import type { Link } from './link.ts';
import { RedisLog } from './log.ts';
import { RedisPlaces } from './places.ts';
import { RedisPresence } from './presence.ts';
import type { RedisOptions } from './redis-options.ts';
import { RedisReports } from './reports.ts';
import { RedisStore } from './store.ts';

/** What Redis provides for `createCache`: spread them into its options, or pick some. */
export interface RedisParts {
  readonly log: (context: PartContext) => InvalidationLog;
  readonly store: (context: PartContext) => Store;
  readonly lease: (context: PartContext) => Lease;
  readonly check: (context: PartContext) => ServerCheck;
  readonly presence: (context: PartContext) => Presence;
  readonly places: (context: PartContext) => Places;
  readonly breakers: (context: PartContext) => BreakerBoard;
  readonly reports: (context: PartContext) => Reports;
  readonly diagnostics: (context: PartContext) => Diagnostics;
}

/**
 * A fleet's log, store, leases and list of nodes on Redis 7.0 or later, or Valkey: standalone, Sentinel or Cluster.
 *
 * Each cache made with it opens connections of its own: one for following, one for appending, one for values and leases (in a
 * Cluster: one for each server). Nothing waits for a server that is not there.
 *
 * @throws TidemarkError `INVALID_OPTION` for bad options; that no server answers is no error here
 * @example const cache = createCache({ name: 'shop', ...redis({ url: 'redis://localhost:6379' }) })
 */
export function redis(options: RedisOptions): RedisParts {
  const settings = checked(options);
  const made = new WeakMap<PartContext, Parts>();
  const of = (context: PartContext): Parts => {
    const known =
      made.get(context) ?? partsOf(new Backend(lazyDriver(options), context, settings.timeout), context, settings);
    made.set(context, known);
    return known;
  };
  return {
    log: (context) => of(context).log(),
    store: (context) => of(context).store(),
    lease: (context) => of(context).lease(),
    check: (context) => of(context).log(),
    presence: (context) => of(context).presence(),
    places: (context) => of(context).places(),
    breakers: (context) => of(context).breakers(),
    reports: (context) => of(context).reports(),
    diagnostics: (context) => of(context).diagnostics(),
  };
}

interface Parts {
  log(): RedisLog;
  store(): Store;
  lease(): Lease;
  presence(): Presence;
  places(): Places;
  breakers(): BreakerBoard;
  reports(): Reports;
  diagnostics(): Diagnostics;
}

const KNOWN: readonly (keyof RedisOptions)[] = ['url', 'client', 'replicas', 'history', 'timeout', 'reclaim'];

/** Deadline of what tools ask, in ms. */
const TOOLS = 5_000;

interface Settings {
  readonly replicas: number;
  readonly history: number;
  readonly timeout: number;
  readonly eager: boolean;
}

function partsOf(backend: Backend, context: PartContext, settings: Settings): Parts {
  const { keys, scripts, rollCall } = backend;
  let log: RedisLog | undefined;
  // One for all who ask: a breaker around the store is made by a function, and the board ends with its cache.
  let board: RedisBreakerBoard | undefined;
  const makeLog = (): RedisLog =>
    new RedisLog({
      ...{ keys, scripts, rollCall, context, ...settings },
      data: backend.data,
      follower: backend.link(),
      onConnected: (listener) => backend.onConnected(listener),
      release: backend.use(),
    });
  const makeBoard = (): RedisBreakerBoard =>
    new RedisBreakerBoard({ keys, commands: backend.values, random: context.random, release: backend.use() });
  const tools = (): Link => backend.tools;
  const makeDiagnostics = (): RedisDiagnostics => {
    const linkTo: KeyScanParts['linkTo'] = (open) => backend.linkTo(open);
    const scan = new KeyScan({ servers: backend.servers, link: tools, linkTo, timeout: TOOLS });
    return new RedisDiagnostics({ keys, tools, scan, timeout: TOOLS, release: backend.use() });
  };
  return {
    log: () => (log ??= makeLog()),
    store: () => new RedisStore({ keys, commands: backend.values, release: backend.use(), ...settings }),
    lease: () => new RedisLease({ keys, commands: backend.values, random: context.random, release: backend.use() }),
    presence: () => new RedisPresence({ keys, scripts, rollCall, data: backend.data, release: backend.use() }),
    places: () => new RedisPlaces({ keys, commands: backend.values, random: context.random, release: backend.use() }),
    breakers: () => (board ??= makeBoard()),
    reports: () => new RedisReports({ keys, data: backend.data, tools, release: backend.use() }),
    diagnostics: makeDiagnostics,
  };
}

/** Before anything is made. */
function checked(options: RedisOptions): Settings {
  checkKnown(options, KNOWN, 'redis()');
  checkClient(options);
  const { replicas = 0, reclaim = 'lazy' } = options;
  if (!Number.isSafeInteger(replicas) || replicas < 0)
    throw new TidemarkError('INVALID_OPTION', `replicas: ${shorten(replicas)} is not a whole number. Give 0 or more.`);
  if (reclaim !== 'lazy' && reclaim !== 'eager')
    throw new TidemarkError('INVALID_OPTION', `reclaim: ${shorten(reclaim)} is neither 'lazy' nor 'eager'.`);
  return {
    replicas,
    history: bytes(options.history ?? '8mb', 'history'),
    timeout: milliseconds(options.timeout ?? '200ms', 'timeout'),
    eager: reclaim === 'eager',
  };
}
