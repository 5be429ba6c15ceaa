import type { Cancel, Clock } from '../coherence/clock.ts';
import { Pause } from '../coherence/pause.ts';
import type { Mapped } from '../events/arrival.ts';
import type { Intake } from '../events/intake.ts';
import type { Taken } from '../events/lane.ts';
import type { DomainEvent } from '../events/rule.ts';
import {
  checkConsumer,
  type ConsumerInfo,
  type JetStreamClient,
  type JetStreamMessage,
  type JetStreamMessages,
} from './jetstream-client.ts';
import type { NatsMessage } from './message.ts';
import { matches } from './subject.ts';

export interface ConsumptionParts<E extends DomainEvent> {
  readonly js: JetStreamClient;
  readonly stream: string;
  readonly durable: string;
  readonly intake: Intake<E>;
  readonly mapping: readonly (readonly [string, (message: NatsMessage) => Mapped<E>])[];
  /** In ms. */
  readonly redeliverAfter: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Messages that the client asks for ahead. */
const AHEAD = 100;

/** What a server waits for an acknowledgement unless it was told otherwise, in ms. */
const ACK_WAIT = 30_000;

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** Reads a durable consumer, again whenever that ends, and acknowledges what became of each message. */
export class Consumption<E extends DomainEvent> {
  readonly #parts: ConsumptionParts<E>;
  readonly #pauses: Pause;
  readonly #source: string;
  /** Messages that were read, and not acknowledged yet. */
  readonly #pending = new Set<JetStreamMessage>();
  #messages: JetStreamMessages | undefined;
  #stopped = false;
  /** How long the server waits for an acknowledgement, in ms. */
  #ackWait = ACK_WAIT;
  #beat: Cancel | undefined;
  /** When the consumer was made: another one has another time. */
  #created: string | undefined;

  constructor(parts: ConsumptionParts<E>) {
    this.#parts = parts;
    this.#pauses = new Pause(parts.clock);
    this.#source = `nats:${parts.stream}`;
  }

  /** @throws what the client rejects with; later failures are reported and tried again */
  async start(): Promise<void> {
    const messages = await this.#open();
    void this.#run(messages);
  }

  /** Reads nothing more. What was read may still be acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pauses.end();
    await this.#messages?.close();
  }

  async #run(first: JetStreamMessages): Promise<void> {
    let messages: JetStreamMessages | undefined = first;
    for (let failures = 0; !this.#stopped; failures++) {
      try {
        messages ??= await this.#open();
        for await (const message of messages) {
          failures = 0;
          void this.#take(message);
        }
        if (!this.#isStopped()) this.#ended(new Error('The client has stopped reading'));
      } catch (error) {
        if (!this.#isStopped()) this.#ended(error);
      }
      messages = undefined;
      if (this.#isStopped()) return;
      const ms = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures, 10));
      await this.#pauses.pass(ms * (0.5 + this.#parts.random()));
    }
  }

  async #open(): Promise<JetStreamMessages> {
    const { js, stream, durable } = this.#parts;
    const consumer = await js.consumers.get(stream, durable);
    const info = await consumer.info();
    checkConsumer(info, durable);
    this.#ackWait = (info.config.ack_wait ?? 0) > 0 ? (info.config.ack_wait as number) / 1_000_000 : ACK_WAIT;
    await this.#checkGap(info);
    const messages = await consumer.consume({ max_messages: AHEAD, abort_on_missing_resource: true });
    this.#messages = messages;
    if (this.#isStopped()) await messages.close();
    return messages;
  }

  /**
   * Whether there were messages that this consumer will not be given. A stream that keeps messages until they are acknowledged
   * drops none of them; another one may have dropped what was not acknowledged yet, as its limits say. That those were messages of
   * other subjects cannot be seen.
   */
  async #checkGap(info: ConsumerInfo): Promise<void> {
    const { js, stream, intake } = this.#parts;
    const before = this.#created;
    this.#created = info.created;
    if (before !== undefined && before !== info.created)
      return void (await intake.missed(this.#source, new Error('The consumer was made anew')));
    const { config, state } = await (await js.streams.get(stream)).info();
    if (config.retention !== 'limits') return;
    const floor = info.ack_floor.stream_seq;
    const dropped =
      floor > 0
        ? state.first_seq > floor + 1
        : state.first_seq > 1 && Date.parse(state.first_ts) > Date.parse(info.created);
    if (dropped)
      await intake.missed(this.#source, new Error('The stream has dropped messages that were not acknowledged'));
  }

  async #take(message: JetStreamMessage): Promise<void> {
    const { intake, mapping } = this.#parts;
    const { subject, info } = message;
    const found = mapping.find(([pattern]) => matches(pattern, subject));
    if (found === undefined) {
      intake.unmapped(this.#source, subject);
      return message.ack();
    }
    this.#pending.add(message);
    this.#startBeating();
    const taken = await intake.take(() => found[1](message), { source: this.#source, id: String(info.streamSequence) });
    this.#pending.delete(message);
    if (this.#pending.size === 0) this.#stopBeating();
    this.#acknowledge(message, taken);
  }

  #acknowledge(message: JetStreamMessage, { status }: Taken): void {
    switch (status) {
      case 'handled':
        return message.ack();
      case 'covered':
        return message.term();
      case 'parked':
        return message.nak(this.#parts.redeliverAfter);
      case 'closed':
      case 'queued':
        return message.nak(); // Whoever reads on is given it at once.
      default:
        return status satisfies never;
    }
  }

  /** The server delivers again what it hears nothing of. */
  #startBeating(): void {
    this.#beat ??= this.#parts.clock.schedule(this.#ackWait / 3, () => {
      this.#beat = undefined;
      for (const message of this.#pending) message.working();
      if (this.#pending.size > 0) this.#startBeating();
    });
  }

  #stopBeating(): void {
    this.#beat?.();
    this.#beat = undefined;
  }

  #ended(cause: unknown): void {
    this.#parts.intake.tell({ type: 'ended', source: this.#source, cause });
  }

  // Asked after an await, where the compiler would otherwise still believe what was checked before it.
  #isStopped(): boolean {
    return this.#stopped;
  }
}
