import { describeTarget } from '../coherence/target.ts';
import type { CacheEvent } from '../index.ts';
import { named, recordView } from './record-view.ts';

/** Hits, and reads that are answered, are no events here: there would be one for each request of a service. */
type Streamed = Exclude<CacheEvent, { readonly type: 'hit' | 'read' }>;

/** By their type no name can be missing: `true` for what is streamed where nothing is asked for. */
const STREAMED: Record<Streamed['type'], boolean> = {
  attached: true,
  detached: true,
  epoch: true,
  resync: true,
  applied: true,
  sent: false,
  queued: true,
  overflowed: true,
  'options-differ': true,
  invalidated: true,
  'store-failed': true,
  'lease-failed': true,
  'places-failed': true,
  'load-failed': true,
  fallback: false,
  miss: false,
  stale: false,
  joined: false,
  rejoined: false,
  refresh: false,
  loaded: false,
  shadow: false,
  evicted: false,
  stored: false,
  migrated: false,
  'not-migrated': true,
};

/** What a stream has besides events of the cache. */
const OWN = ['summary', 'health'] as const;

export const streamedTypes: readonly string[] = [...Object.keys(STREAMED), ...OWN];

export const defaultTypes: readonly string[] = streamedTypes.filter((it) => STREAMED[it as Streamed['type']] ?? true);

export function isStreamed(event: CacheEvent): event is Streamed {
  return event.type in STREAMED;
}

/** An event as JSON can say it, without what may hold somebody's values: of errors it has the name and the code. */
export function liveEvent(event: Streamed, at: number): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case 'applied':
      return { at, record: recordView(event.record) };
    case 'invalidated': {
      const { receipt, cause, ms } = event;
      return { at, ...named(event.targets.map(describeTarget)), receipt, cause, ms };
    }
    case 'sent':
      return { at, id: event.draft.id, number: event.position.number };
    case 'queued': {
      const { id, targets } = event.draft;
      return { at, id, ...named(targets ?? []), cause: errorName(event.cause) };
    }
    case 'detached':
      return { at, state: event.state, cause: errorName(event.cause) };
    case 'attached':
      return { at, number: event.position.number, epoch: event.position.epoch };
    case 'resync':
      return { at, reason: event.reason, number: event.position.number };
    case 'store-failed': {
      const { operation, keys, error } = event;
      return { at, operation, keys: keys.slice(0, 10), error: errorName(error) };
    }
    default: {
      const { type: _, ...rest } = event;
      return { at, ...rest, ...('error' in event && { error: errorName(event.error) }) };
    }
  }
}

/** Their messages may quote what was loaded, or addresses. */
function errorName(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (!(error instanceof Error)) return typeof error === 'string' ? 'text' : typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${error.name} ${code}` : error.name;
}
