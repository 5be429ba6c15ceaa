import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, type AdminOptions, createAdmin } from '../admin/index.ts';
import { type CacheOptions, createCache, type Duration, type Logger } from '../index.ts';
import { milliseconds } from '../coherence/duration.ts';
import { createOperations } from '../operations/index.ts';
import { logNames, redis } from '../redis/index.ts';
import { onlooker } from './onlooker.ts';
import { UsageError } from './usage-error.ts';

/** A fleet that is looked at from a process of its own. */
export interface Fleet {
  readonly admin: Admin;
  close(): Promise<void>;
}

/** Where a fleet is. */
export interface FleetPlace {
  /** The URL of its Redis. */
  readonly redis: string;
  readonly name: string;
  readonly logger?: Logger;
  /** Longest wait for its server, default `'5s'`: people wait longer than requests. */
  readonly timeout?: Duration;
}

/**
 * The API of a fleet, in this process and for whoever runs it: they may do what its Redis lets them do anyway.
 *
 * @throws UsageError where there is no fleet of this name, with the names of those there are
 * @throws TidemarkError `UNAVAILABLE`, `NOT_READY` where the server does not answer
 */
export function openFleet({ redis: url, name, logger, timeout = '5s' }: FleetPlace): Promise<Fleet> {
  const patience = { timeout };
  const who = { role: 'operator', name: `cli:${userName()}` } as const;
  const cache = { name, ...(logger && { logger }), ...redis({ url, ...patience }) };
  const admin = { access: () => who, rate: false, values: true } as const;
  return composeFleet(cache, admin, { names: () => logNames({ url, ...patience }), ...patience });
}

/** For the audit. In a container the user need not be known by a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}

interface FleetSearch {
  /** Of the fleets there are, where that can be told. */
  readonly names?: () => Promise<readonly string[]>;
  readonly timeout?: Duration;
}

/**
 * The API of a fleet that a cache with these options would be a part of.
 *
 * @throws UsageError, TidemarkError as {@link openFleet}
 */
export async function composeFleet(
  options: CacheOptions,
  admin: AdminOptions,
  search: FleetSearch = {},
): Promise<Fleet> {
  await checkExists(options, search);
  const cache = createCache(onlooker(options));
  try {
    // It is none of the fleet, and counts for none.
    const operations = createOperations(cache, { reportEvery: false, sampler: false });
    const made = createAdmin(operations, admin);
    await cache.ready({ timeout: search.timeout ?? '5s' });
    const close = async (): Promise<void> => {
      await made.close();
      await operations.close();
      await cache.close();
    };
    return { admin: made, close };
  } catch (error) {
    await cache.close();
    throw error;
  }
}

/** To look for a log by its name would make one: whoever mistypes it would look at an empty fleet. */
async function checkExists(options: CacheOptions, { names = none, timeout = '5s' }: FleetSearch): Promise<void> {
  const { name, prefix, diagnostics } = options;
  if (diagnostics === undefined)
    throw new UsageError(
      'This fleet cannot be looked at: its cache has no part `diagnostics`. Spread redis({ url }) into it.',
    );
  const scout = createCache({ name, ...(prefix !== undefined && { prefix }), memory: false, diagnostics });
  try {
    if (await patiently(async () => scout.parts.diagnostics?.exists(), timeout)) return;
    throw new UsageError(`There is no fleet ${JSON.stringify(scout.name)} on this server. ${await known(names)}`);
  } finally {
    await scout.close();
  }
}

/** Asks again while the server has not answered yet: a first connection may take longer than one request is allowed to. */
async function patiently<T>(ask: () => Promise<T>, timeout: Duration): Promise<T> {
  const until = performance.now() + milliseconds(timeout, 'timeout');
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'UNAVAILABLE' || performance.now() >= until) throw error;
      await sleep(PAUSE);
    }
  }
}

/** In ms. */
const PAUSE = 100;

async function none(): Promise<readonly string[]> {
  return [];
}

async function known(names: () => Promise<readonly string[]>): Promise<string> {
  const list = await names();
  if (list.length === 0) return 'Start one of its services first.';
  return `There ${list.length === 1 ? 'is' : 'are'} ${list.slice(0, 20).join(', ')}${list.length > 20 ? ', and more' : ''}.`;
}
