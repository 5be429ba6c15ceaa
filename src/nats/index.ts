export { connectNats, type NatsConnection, type NatsOptions } from './core.ts';
export { connectJetStream, type JetStreamOptions } from './jetstream.ts';
export type {
  ConsumerInfo,
  JetStreamClient,
  JetStreamConsumer,
  JetStreamMessage,
  JetStreamMessages,
  JetStreamStream,
} from './jetstream-client.ts';
export type { NatsMessage } from './message.ts';
