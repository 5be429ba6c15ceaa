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

/**
 * Everything that can be observed, one closed union told apart by `type`. Metrics, logs and dashboards are listeners.
 */
export type CacheEvent =
  | NodeEvent
  | { readonly type: 'hit'; readonly key: string; readonly from: 'memory' | 'store' }
  | { readonly type: 'miss'; readonly key: string; readonly reason: MissReason }
  /** An old value was returned because the reader tolerates it. */
  | {
      readonly type: 'stale';
      readonly key: string;
      readonly why: 'maxStaleness' | 'grace' | 'softTimeout' | 'detached';
      readonly error?: unknown;
    }
  /** A reader shares a load that is under way. */
  | { readonly type: 'joined'; readonly key: string }
  /** What a joined load returned was too old for this reader: it loads again. */
  | { readonly type: 'rejoined'; readonly key: string }
  /** A refresh in the background begins. */
  | { readonly type: 'refresh'; readonly key: string }
  | { readonly type: 'loaded'; readonly key: string; readonly ms: number; readonly kept: boolean }
  | { readonly type: 'load-failed'; readonly key: string; readonly ms: number; readonly error: unknown }
  /** A read in shadow mode is judged: at once, or once it is clear whether an invalidation was under way. */
  | {
      readonly type: 'shadow';
      readonly key: string;
      readonly outcome: ShadowOutcome;
      /** Where the cache would have had the value from; not of a `miss`. */
      readonly from?: 'memory' | 'store';
      /** Of what the cache would have served: milliseconds since its load began. */
      readonly age?: number;
      /** What the query's `equals` has thrown. */
      readonly error?: unknown;
    }
  | { readonly type: 'evicted'; readonly key: string }
  | { readonly type: 'stored'; readonly key: string; readonly bytes: number }
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

/** Hands events to listeners. A listener that throws harms neither the cache nor other listeners. */
export class Events {
  readonly #listeners = new Set<Listener>();
  #heard = false;
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Whether anybody listens: events on the hot path are made only then. */
  get heard(): boolean {
    return this.#heard;
  }

  on(listener: Listener): Unsubscribe {
    this.#listeners.add(listener);
    this.#heard = true;
    return () => {
      this.#listeners.delete(listener);
      this.#heard = this.#listeners.size > 0;
    };
  }

  emit(event: CacheEvent): void {
    for (const listener of this.#listeners) {
      try {
        const answer: unknown = listener(event);
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#failed(error));
      } catch (error) {
        this.#failed(error);
      }
    }
  }
}
