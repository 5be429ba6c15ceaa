import type { Duration } from '../coherence/duration.ts';
import type { Size } from '../cache/size.ts';
import type { Mapper } from './arrival.ts';
import type { CloudEvent } from './cloud-event.ts';
import type { IntakeOptions } from './intake-options.ts';
import type { Webhook } from './webhook.ts';

export interface CloudEventsOptions<E> extends IntakeOptions<E> {
  /** For each type of CloudEvent that matters, which domain events it is. Other types are taken, and reported once. */
  readonly events: Readonly<Record<string, Mapper<CloudEvent, E>>>;
  /**
   * Whether the sender of a request may send, or what it is answered; asked before anything of the body is read. `false` where
   * that is seen to elsewhere: who can send events can empty the cache.
   */
  readonly verify: ((request: Request) => boolean | Response | Promise<boolean | Response>) | false;
  /** Answers the handshake of web hooks. Without it no sender that asks is wanted. */
  readonly webhook?: Webhook;
  /** Longest body; default `'1mb'`. */
  readonly limit?: Size;
  /** How long a request is held before it is answered that it is to be sent again; default `'10s'`. */
  readonly patience?: Duration;
  /** After what time it is to be sent again; default `'5s'`. */
  readonly retryAfter?: Duration;
}
