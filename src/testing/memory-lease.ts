import type { Lease, LeaseAnswer } from '../cache/lease.ts';
import type { Clock } from '../coherence/clock.ts';
import type { PartContext } from '../coherence/part.ts';

/** How soon who was refused looks again, in ms: a holder in the same process cannot tell it when it is done. */
const LOOK_AGAIN = 10;

/**
 * A lease in this process: one holder of each key, until it gives the lease back or its time is over. For tests with
 * several caches that stand for the processes of a fleet: make it once, and hand it to each.
 *
 * @example
 * const lease = memoryLease();
 * const a = createCache({ name: 'shop', log, store, lease });
 * const b = createCache({ name: 'shop', log, store, lease });
 */
export function memoryLease(): (context: Pick<PartContext, 'clock'>) => Lease {
  let shared: Lease | undefined;
  return ({ clock }) => {
    shared ??= makeLease(clock);
    return shared;
  };
}

/** One grant; its identity tells a late holder's release from that of the next. */
interface Grant {
  /** On the monotonic clock, in ms. */
  until: number;
}

function makeLease(clock: Clock): Lease {
  const held = new Map<string, Grant>();
  const acquire = (key: string, time: number): LeaseAnswer => {
    const now = clock.monotonic();
    const holder = held.get(key);
    if (holder !== undefined && now < holder.until)
      return { granted: false, wait: Math.min(LOOK_AGAIN, holder.until - now) };
    const grant: Grant = { until: now + time };
    held.set(key, grant);
    const release = async (): Promise<void> => {
      if (held.get(key) === grant) held.delete(key);
    };
    const extend = async (more: number): Promise<boolean> => {
      if (held.get(key) !== grant || clock.monotonic() >= grant.until) return false;
      grant.until = clock.monotonic() + more;
      return true;
    };
    return { granted: true, release, extend };
  };
  return { acquire: async (key, time) => acquire(key, time) };
}
