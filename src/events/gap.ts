import type { Token } from '../coherence/position.ts';
import type { Message } from './message.ts';

/**
 * Messages that this subscriber will not get. Whatever was cached until now may be stale: drop all of it.
 *
 * - `start`: it begins here; what was published before is not known
 * - `trimmed`: it was away for longer than the log keeps records
 * - `epoch`: the log began a new life, and may have lost records
 * - `failed`: `onMessage` has failed for `message`, again and again
 */
export type Gap<E = Record<string, string>> =
  | {
      readonly reason: 'start' | 'trimmed' | 'epoch';
      /** The last position before it; `undefined` where there is none. */
      readonly after: Token | undefined;
      /** Messages behind this position follow. */
      readonly upTo: Token;
    }
  | {
      readonly reason: 'failed';
      readonly after: Token | undefined;
      readonly upTo: Token;
      readonly message: Message<E>;
      /** What the last run has failed with. */
      readonly error: unknown;
    };

export type GapReason = Gap['reason'];
