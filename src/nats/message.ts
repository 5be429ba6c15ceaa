/** What a mapping is handed of a message, of core NATS or of a stream. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: { get(name: string): string } | undefined;
  /** The payload, read as JSON; nobody has checked its shape. @throws where it is not JSON */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the clients have it so
  json<T = unknown>(): T;
  string(): string;
}
