import { createCache, key } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { keyLabel } from '../../src/coherence/label.ts';
import { keyOf } from './message.ts';

/** When the log took the first record about an item, in ms of the server's wall clock, and who made it. */
export interface Taken {
  readonly at: number;
  /** A writer names no bound here. */
  readonly byRelay: boolean;
}

/** Hears of every record, as a node does. */
export function watchLog(url: string) {
  const cache = createCache({ name: 'crash', ...redis({ url }) });
  const taken = new Map<string, Taken>();
  cache.on((event) => {
    if (event.type !== 'applied') return;
    const { labels, number, lsn } = event.record;
    for (const { high, low } of labels) {
      const name = `${high} ${low}`;
      if (!taken.has(name)) taken.set(name, { at: number / 1_000, byRelay: lsn !== undefined });
    }
  });
  return {
    ready: () => cache.ready({ timeout: '1m' }),
    taken: (id: number): Taken | undefined => {
      const target = key(...keyOf(id));
      if (target.kind !== 'key') return undefined;
      const { high, low } = keyLabel(target.key);
      return taken.get(`${high} ${low}`);
    },
    close: () => cache.close(),
  };
}
