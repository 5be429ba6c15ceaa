import type { Unsubscribe } from '../coherence/log.ts';
import type { NodeEvent } from '../coherence/node-event.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause } from '../coherence/record.ts';
import type { Cover } from '../coherence/view.ts';
import type { Target } from '../coherence/target.ts';

/** Where a value came from. */
export type From = 'memory' | 'store' | 'loader';

/** Why there was nothing to serve. */
export type MissReason = 'absent' | 'expired' | 'detached' | 'token' | Cover;

/** What an event is about: a key, and the path of the query that was read; `undefined` for what is read by key. */
interface Subject {
  readonly key: string;
  readonly query: string | undefined;
}

/**
 * Everything that can be observed, one closed union told apart by `type`. Metrics, logs and dashboards are listeners.
 */
export type CacheEvent =
  | NodeEvent
  | (Subject & { readonly type: 'hit'; readonly from: 'memory' | 'store' })
  | (Subject & { readonly type: 'miss'; readonly reason: MissReason })
  /**
   * A read has been answered, in `ms` milliseconds: each that memory could not answer at once, and one in 128 of the others. Not of
   * reads that fail, of those past the cache, nor of `get`, `peek` and `consistent`.
   */
  | (Subject & { readonly type: 'read'; readonly from: From; readonly stale: boolean; readonly ms: number })
  /** An old value was returned because the reader tolerates it. */
  | (Subject & {
      readonly type: 'stale';
      readonly why: 'maxStaleness' | 'grace' | 'softTimeout' | 'detached';
      readonly error?: unknown;
    })
  /** A reader shares a load that is under way. */
  | (Subject & { readonly type: 'joined' })
  /** What a joined load returned was too old for this reader: it loads again. */
  | (Subject & { readonly type: 'rejoined' })
  /** A refresh in the background begins. */
  | (Subject & { readonly type: 'refresh' })
  | (Subject & { readonly type: 'loaded'; readonly ms: number; readonly kept: boolean })
  /** A reader was given the query's fallback, in place of this error. */
  | (Subject & { readonly type: 'fallback'; readonly error: unknown })
  | (Subject & { readonly type: 'load-failed'; readonly ms: number; readonly error: unknown })
  /** A read in shadow mode is judged: at once, or once it is clear whether an invalidation was under way. */
  | (Subject & {
      readonly type: 'shadow';
      readonly outcome: ShadowOutcome;
      /** Where the cache would have had the value from; not of a `miss`. */
      readonly from?: 'memory' | 'store';
      /** Of what the cache would have served: milliseconds since its load began. */
      readonly age?: number;
      /** What the query's `equals` has thrown. */
      readonly error?: unknown;
    })
  /** Memory has no place for it any more. */
  | (Subject & { readonly type: 'evicted' })
  | { readonly type: 'stored'; readonly key: string; readonly bytes: number; readonly ms: number }
  /** What another version of a query had kept was lifted into this one. `from`: that version. */
  | { readonly type: 'migrated'; readonly key: string; readonly from: number }
  /** It could not be: `migrate` returned `undefined`, or threw. The value is loaded. */
  | { readonly type: 'not-migrated'; readonly key: string; readonly from: number; readonly error?: unknown }
  /** The store failed or refused: treated as "not found", or not kept. */
  | {
      readonly type: 'store-failed';
      readonly operation: 'get' | 'set' | 'reclaim';
      readonly keys: readonly string[];
      readonly error: unknown;
    }
  | { readonly type: 'lease-failed'; readonly key: string; readonly error: unknown }
  /** The fleet's places for loads could not be asked for: loads go on within the limit of this process. */
  | { readonly type: 'places-failed'; readonly error: unknown }
  | {
      readonly type: 'invalidated';
      readonly targets: readonly Target[];
      readonly receipt: Receipt;
      readonly cause: Cause | undefined;
      readonly ms: number;
    };

/**
 * What a read in shadow mode found of the cache, beside the value that it loaded and returned.
 *
 * - `miss`: nothing that could be served.
 * - `same`: what was loaded.
 * - `changed`: another value; something that covers one of the two was invalidated since, or at most `maxLag` later. The cache
 *   would have been behind by a moment, as it may be.
 * - `differed`: another value, and nothing has covered it. Somebody does not invalidate, or the key lacks something that the value
 *   depends on, or the loader does not return the same for the same.
 * - `unknown`: another value, and nobody can say why: this process was cut off from the log meanwhile, or too many waited.
 */
export type ShadowOutcome = 'miss' | 'same' | 'changed' | 'differed' | 'unknown';

export type Listener = (event: CacheEvent) => void;

/** What a listener does without. */
export interface ListenOptions {
  /**
   * Not told of hits, or not of reads that are answered: where every listener does without both, a warm hit makes no event. How many
   * hits there are, `cache.counts()` knows all the same.
   */
  readonly except?: readonly ('hit' | 'read')[];
}

/** Hands events to listeners. A listener that throws harms neither the cache nor other listeners. */
export class Events {
  readonly #listeners = new Map<object, { readonly listener: Listener; readonly except: readonly string[] }>();
  /** Who hears of what: of hits, of reads that are answered, and of everything else. Replaced, never changed: an event may end one. */
  #ofHits: readonly Listener[] = [];
  #ofReads: readonly Listener[] = [];
  #ofOthers: readonly Listener[] = [];
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Whether anybody listens: most events are made only then. */
  get heard(): boolean {
    return this.#ofOthers.length > 0;
  }

  /** Whether somebody wants to hear of hits: on the way of every hit. */
  get hitsHeard(): boolean {
    return this.#ofHits.length > 0;
  }

  /** Whether somebody wants to hear of reads that are answered. */
  get readsHeard(): boolean {
    return this.#ofReads.length > 0;
  }

  on(listener: Listener, { except = [] }: ListenOptions = {}): Unsubscribe {
    const subscription = {};
    this.#listeners.set(subscription, { listener, except });
    this.#sort();
    return () => {
      this.#listeners.delete(subscription);
      this.#sort();
    };
  }

  #sort(): void {
    const all = [...this.#listeners.values()];
    const but = (type: string): Listener[] =>
      all.filter(({ except }) => !except.includes(type)).map(({ listener }) => listener);
    this.#ofHits = but('hit');
    this.#ofReads = but('read');
    this.#ofOthers = all.map(({ listener }) => listener);
  }

  emit(event: CacheEvent): void {
    const { type } = event;
    const listeners = type === 'hit' ? this.#ofHits : type === 'read' ? this.#ofReads : this.#ofOthers;
    for (const listener of listeners) {
      try {
        const answer: unknown = listener(event);
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#failed(error));
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
