import type { Cache, CacheEvent, Unsubscribe } from 'tidemark';
import type { ServiceName } from './service-name.ts';

/** One line of the timeline: what happened where and when. */
export interface Happening {
  /** The time of day in milliseconds, with fractions: the services run on one machine. */
  readonly at: number;
  readonly where: ServiceName | 'client' | 'story';
  readonly what: string;
}

export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Tells what a cache does that belongs in the timeline. */
export function watch(cache: Cache, where: ServiceName, tell: (happening: Happening) => void): Unsubscribe {
  return cache.on((event) => {
    const what = inWords(event);
    if (what !== undefined) tell({ at: now(), where, what });
  });
}

function inWords(event: CacheEvent): string | undefined {
  switch (event.type) {
    case 'hit':
      return `${event.key} from ${event.from}`;
    case 'loaded':
      return `${event.key} from its loader, in ${event.ms.toFixed(0)} ms`;
    case 'miss':
      return event.reason === 'absent' ? undefined : `${event.key} in memory is not served: ${event.reason}`;
    case 'applied':
      return `applied ${event.record.cause?.event ?? 'a record'} at ${event.record.number}`;
    case 'invalidated':
      return `${event.cause?.event ?? 'invalidated'}: ${event.receipt.status}, position ${event.receipt.token}`;
    case 'sent':
      return `the log took the record, at ${event.position.number}`;
    case 'attached':
      return `attached to the log at ${event.position.number}`;
    case 'detached':
      return 'detached from the log: memory is not trusted until it is back';
    default:
      return undefined;
  }
}
