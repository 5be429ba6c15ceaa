import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { NatsMessage } from './message.ts';

/** The part of a client of `@nats-io/jetstream` that is needed. */
export interface JetStreamClient {
  readonly streams: { get(name: string): Promise<JetStreamStream> };
  readonly consumers: { get(stream: string, durable: string): Promise<JetStreamConsumer> };
}

export interface JetStreamStream {
  info(): Promise<{
    readonly config: { readonly retention: string };
    readonly state: { readonly first_seq: number; readonly first_ts: string };
  }>;
}

export interface JetStreamConsumer {
  info(): Promise<ConsumerInfo>;
  consume(options: { max_messages: number; abort_on_missing_resource: boolean }): Promise<JetStreamMessages>;
}

export interface ConsumerInfo {
  readonly created: string;
  readonly ack_floor: { readonly stream_seq: number };
  readonly config: {
    readonly durable_name?: string | undefined;
    readonly ack_policy: string;
    /** In ns. */
    readonly ack_wait?: number | undefined;
    readonly max_deliver?: number | undefined;
    readonly inactive_threshold?: number | undefined;
    readonly max_ack_pending?: number | undefined;
  };
}

export interface JetStreamMessages extends AsyncIterable<JetStreamMessage> {
  close(): Promise<void | Error>;
}

export interface JetStreamMessage extends NatsMessage {
  readonly info: { readonly stream: string; readonly streamSequence: number };
  ack(): void;
  nak(ms?: number): void;
  term(): void;
  working(): void;
}

/** @throws TidemarkError `INVALID_OPTION` for a consumer that would lose what is not handled, saying how to make it */
export function checkConsumer({ config }: ConsumerInfo, durable: string): void {
  const wrong = (problem: string, cure: string): TidemarkError =>
    new TidemarkError('INVALID_OPTION', `connectJetStream: the consumer ${shorten(durable)} ${problem}. ${cure}`);
  if (config.durable_name === undefined)
    throw wrong('is not durable, so that it is forgotten with this process', 'Make it with durable_name.');
  if (config.ack_policy !== 'explicit')
    throw wrong(`acknowledges by the policy ${shorten(config.ack_policy)}`, "Make it with ack_policy: 'explicit'.");
  if (config.max_deliver !== undefined && config.max_deliver > 0)
    throw wrong(`drops a message after ${config.max_deliver} deliveries`, 'Make it with max_deliver: -1.');
  if (config.inactive_threshold !== undefined && config.inactive_threshold > 0)
    throw wrong('is deleted when nobody listens for a while', 'Make it without inactive_threshold.');
}
