import type { Logger } from '../coherence/logger.ts';
import type { Target } from '../coherence/target.ts';
import type { CacheEvent, Listener } from './events.ts';

export interface JournalOptions {
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly logHits: boolean;
  readonly logMisses: boolean;
}

/**
 * Writes what happens to a log: one line for each invalidation, hits and misses where asked for, and warnings with their
 * cause. It is a listener like any other.
 */
export function journal({ logger, wall, logHits, logMisses }: JournalOptions): Listener {
  /** Why the log took nothing, from the event before the receipt that says so. */
  let refusal: unknown;
  return (event) => {
    switch (event.type) {
      case 'queued':
        refusal = event.cause;
        return undefined;
      case 'invalidated':
        return invalidated(logger, wall(), event, refusal);
      case 'hit':
        return logHits
          ? logger.debug(
              { event: 'cache_hit', key: event.key, from: event.from },
              `cache_hit key=${word(event.key)} from=${event.from}`,
            )
          : undefined;
      case 'miss':
        return logMisses
          ? logger.debug(
              { event: 'cache_miss', key: event.key, reason: event.reason },
              `cache_miss key=${word(event.key)} reason=${event.reason}`,
            )
          : undefined;
      case 'detached':
        if (event.state === 'stopped') return undefined; // closed on purpose
        return logger.warn(
          { event: 'cache_detached', state: event.state, err: event.cause },
          'cache_detached: reads go to their loaders until the log answers',
        );
      case 'attached':
        return logger.info({ event: 'cache_attached', position: event.position.number }, 'cache_attached');
      case 'epoch':
        return event.before === ''
          ? undefined
          : logger.warn(
              { event: 'cache_epoch', epoch: event.epoch, before: event.before },
              'cache_epoch: the log may have lost records, so every entry is loaded anew',
            );
      case 'overflowed':
        return logger.warn(
          { event: 'cache_overflow', dropped: event.dropped },
          'cache_overflow: the queue was full and became one invalidation of everything',
        );
      case 'options-differ':
        return logger.warn(
          { event: 'cache_options', given: event.given, used: event.used },
          'cache_options: the log was created with other options, which are used',
        );
      case 'store-failed':
        return logger.warn(
          { event: 'cache_store', operation: event.operation, keys: event.keys, err: event.error },
          `cache_store: ${event.operation} failed`,
        );
      case 'not-migrated':
        return event.error === undefined
          ? undefined
          : logger.warn(
              { event: 'cache_migrate', key: event.key, from: event.from, err: event.error },
              `cache_migrate key=${word(event.key)} from=${event.from}: migrate failed, so the value is loaded`,
            );
      case 'lease-failed':
        return logger.warn(
          { event: 'cache_lease', key: event.key, err: event.error },
          'cache_lease: the lease could not be asked for',
        );
      case 'places-failed':
        return logger.warn(
          { event: 'cache_places', err: event.error },
          'cache_places: the places for loads in the fleet could not be asked for',
        );
      case 'load-failed':
        return logger.warn(
          { event: 'cache_load', key: event.key, err: event.error },
          `cache_load key=${word(event.key)}: the loader failed`,
        );
      case 'shadow':
        return event.outcome === 'differed'
          ? logger.warn(
              { event: 'cache_shadow', key: event.key, from: event.from, age: event.age },
              `cache_shadow key=${word(event.key)}: the cache would have served another value than was loaded, and nobody has invalidated it`,
            )
          : undefined;
      default:
        return undefined;
    }
  };
}

/** `cache_bust org=ORG1 prefixes=fr:overview:ORG1 tags=…`, and the same as fields. Those of ours win over the user's. */
function invalidated(
  logger: Logger,
  at: number,
  { targets, receipt, cause, ms }: Extract<CacheEvent, { type: 'invalidated' }>,
  refusal: unknown,
): void {
  const lists = { prefixes: named(targets, 'key'), tags: named(targets, 'tag'), patterns: named(targets, 'pattern') };
  const operation = targets.some((it) => it.kind === 'everything') ? 'everything' : 'invalidate';
  const words = ['cache_bust'];
  for (const [name, value] of Object.entries(cause?.fields ?? {})) words.push(`${word(name)}=${word(value)}`);
  for (const [name, list] of Object.entries(lists))
    if (list.length > 0) words.push(`${name}=${list.map(word).join(',')}`);
  if (operation === 'everything') words.push('everything');
  if (receipt.removed !== undefined) words.push(`removed=${receipt.removed}`);
  if (receipt.everywhere !== undefined) words.push(`everywhere=${receipt.everywhere}`);
  if (receipt.status !== 'applied') words.push(`status=${receipt.status}`);
  const fields = {
    ...cause?.fields,
    event: 'cache_bust',
    ...(cause?.event === undefined ? {} : { event_type: cause.event }),
    ...lists,
    operation,
    status: receipt.status,
    ...(receipt.removed === undefined ? {} : { keys_cleared: receipt.removed }),
    ...(receipt.everywhere === undefined ? {} : { everywhere: receipt.everywhere }),
    position: receipt.token,
    ms,
    timestamp: new Date(at).toISOString(),
  };
  if (receipt.status === 'queued')
    logger.warn(
      { ...fields, err: refusal },
      `${words.join(' ')}: the log did not take it yet; it covers its targets here and is sent again`,
    );
  else logger.info(fields, words.join(' '));
}

function named(targets: readonly Target[], kind: 'key' | 'tag' | 'pattern'): string[] {
  return targets.flatMap((it) =>
    it.kind !== kind
      ? []
      : it.kind === 'key'
        ? [it.key]
        : it.kind === 'tag'
          ? [it.tag]
          : it.kind === 'pattern'
            ? [it.pattern]
            : [],
  );
}

/** A value in a line of text; in quotes where it could be taken for several, or for a line of its own. */
function word(text: string): string {
  return /["\s\p{Cc}]/u.test(text) ? JSON.stringify(text) : text;
}
