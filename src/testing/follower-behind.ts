import type { InvalidationLog } from '../coherence/log.ts';
import { createCache, memoryLog, memoryStore, type Cache, type CacheOptions, type Store } from '../index.ts';
import { FakeClock } from './fake-clock.ts';
import { FaultyLog } from './faulty-log.ts';
import { partContext } from './part-context.ts';
import { SeededRandom } from './seeded-random.ts';

/** A writer that is always up to date, and a node that follows the same log over connections, which can be stalled. */
export interface FollowerBehind {
  readonly clock: FakeClock;
  readonly shared: InvalidationLog;
  readonly link: FaultyLog;
  readonly store: Store;
  readonly writer: Cache;
  readonly behind: Cache;
  /** From now on the node answers, and learns nothing: the reading under way ends without a record. */
  readonly fallBehind: () => Promise<void>;
}

/** @param options of the node that can fall behind */
export async function followerBehind(options: Partial<CacheOptions>): Promise<FollowerBehind> {
  const clock = new FakeClock();
  const random = new SeededRandom(1).next;
  const shared = memoryLog()(partContext(clock));
  const link = new FaultyLog(shared);
  const store = memoryStore()({ clock });
  const writer = createCache({ name: 'test', clock, random, log: shared, store });
  const behind = createCache({ name: 'test', clock, random, log: link, store, ...options });
  const fallBehind = async (): Promise<void> => {
    link.stall('follow');
    await clock.advance(500);
  };
  return { clock, shared, link, store, writer, behind, fallBehind };
}
