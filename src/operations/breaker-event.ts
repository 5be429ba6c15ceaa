/** `half-open`: a call of this process finds out whether the dependency is back; all others are refused. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Everything that can be observed of a breaker, one closed union told apart by `type`. */
export type BreakerEvent =
  /** From now on calls are refused, for `ms`. `here`: this process found out, otherwise it was told. */
  | {
      readonly type: 'opened';
      readonly breaker: string;
      readonly by: string;
      readonly here: boolean;
      readonly ms: number;
      /** What failed last, where this process found out. */
      readonly error?: unknown;
    }
  /** A call of this process finds out whether the dependency is back. */
  | { readonly type: 'probing'; readonly breaker: string }
  | { readonly type: 'closed'; readonly breaker: string; readonly here: boolean }
  /** A call that counts has failed, or has taken too long. */
  | { readonly type: 'failed'; readonly breaker: string; readonly error: unknown }
  | { readonly type: 'refused'; readonly breaker: string }
  /** Somebody was given a fallback. `error`: in place of what. */
  | { readonly type: 'fallback'; readonly breaker: string; readonly error: unknown }
  /** What others find is not heard any more, and nobody hears what is found here; told once, until it is `board-back`. */
  | { readonly type: 'board-failed'; readonly breaker: string; readonly error: unknown }
  | { readonly type: 'board-back'; readonly breaker: string };

export type BreakerListener = (event: BreakerEvent) => void;
