import { keyOf } from '../coherence/key.ts';
import { type Cache, type InspectedEntry, TidemarkError } from '../index.ts';

/** A stored entry, judged by the rule. */
export interface StoredVerdict {
  readonly key: string;
  /** Of its query; of what is there and can be read. */
  readonly version?: number;
  readonly verdict: InspectedEntry['verdict'] | 'unreadable' | 'unknown' | 'gone';
}

/** Keys that are asked about at once: their entries come in one answer of the store, which has a deadline. */
const TOGETHER = 10;

/** What the store has under keys. @param keys canonical */
export async function storedVerdicts(cache: Cache, keys: readonly string[]): Promise<readonly StoredVerdict[]> {
  const missed = new Map<string, 'unreadable' | 'unknown'>();
  // A store that fails is a miss to whoever reads: why, only its event says.
  const stop = cache.on((event) => {
    if (event.type !== 'store-failed' || event.operation !== 'get') return;
    for (const place of event.keys) missed.set(keyOf(place), whyOf(event.error));
  });
  try {
    const all: StoredVerdict[] = [];
    for (let i = 0; i < keys.length; i += TOGETHER) {
      const some = keys.slice(i, i + TOGETHER);
      const inspections = await Promise.all(some.map((key) => cache.inspect(key)));
      for (const { key, entries } of inspections) {
        const stored = entries.filter(({ tier }) => tier === 'store').map((it) => verdictOf(key, it));
        const why = missed.get(key);
        all.push(...stored);
        if (stored.length === 0 || why === 'unreadable') all.push({ key, verdict: why ?? 'gone' });
      }
    }
    return all;
  } finally {
    stop();
  }
}

/** Its envelope could be read, and what is in it by none of this cache's serializers. */
function verdictOf(key: string, { version, verdict, value }: InspectedEntry): StoredVerdict {
  return { key, version, verdict: value === undefined ? 'unreadable' : verdict };
}

function whyOf(error: unknown): 'unreadable' | 'unknown' {
  return error instanceof TidemarkError && error.code === 'INVALID_ENVELOPE' ? 'unreadable' : 'unknown';
}
