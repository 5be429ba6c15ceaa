import type { WalStream, WalStreamListener } from '../../src/postgres/wal-stream.ts';
import type { Cancel } from '../../src/coherence/clock.ts';
import { DatabaseLink, type DatabaseLinkParts } from './database-link.ts';
import { Refusal } from './database-refusal.ts';
import type { DatabaseServer } from './database-server.ts';
import { WalSender } from './wal-sender.ts';

/** How long a start may take, and how long the server may be silent, in ms. */
const DEADLINE = 1_500;
const SILENCE = 2_500;
/** Between two signs of life, in ms. */
const SIGN = 1_000;

/** A relay's end of a stream of the database's log: what the adapter for the replication protocol does. */
export class WalReader implements WalStream {
  readonly link: DatabaseLink;
  readonly #parts: DatabaseLinkParts;
  readonly #listener: WalStreamListener;
  #sender: WalSender | undefined;
  #acknowledged: bigint;
  #heard = 0;
  #ended = false;
  #cancel: Cancel = () => {};
  #failed: (error: Error) => void = () => {};

  constructor(parts: DatabaseLinkParts, acknowledged: bigint, listener: WalStreamListener) {
    this.#parts = parts;
    this.#acknowledged = acknowledged;
    this.#listener = listener;
    this.link = new DatabaseLink(parts, ({ client, server }) => {
      if (server) this.#sender?.close();
      if (client) parts.clock.deliver(() => this.#end(new Error('stream cut')));
    });
  }

  /** @throws Error what the server answers, or that it does not */
  async start(server: DatabaseServer, application: string): Promise<this> {
    const { clock, scheduler } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      const late = clock.schedule(DEADLINE, () => this.#end(new Error('the database did not begin to send')));
      this.#failed = reject;
      this.link.up(() => {
        const answer = this.#open(server, scheduler, application);
        this.link.down(() => {
          late();
          if (answer === undefined) resolve();
          else reject(answer);
        });
      });
    });
    this.#failed = () => {};
    this.#heard = clock.monotonic();
    this.#sign();
    return this;
  }

  acknowledge(lsn: bigint): void {
    this.#acknowledged = lsn;
    this.#say();
  }

  stop(): Promise<void> {
    this.#ended = true;
    this.#cancel();
    this.link.up(() => this.#sender?.close());
    return Promise.resolve();
  }

  #open(
    server: DatabaseServer,
    ...[scheduler, application]: [DatabaseLinkParts['scheduler'], string]
  ): Error | undefined {
    if (!server.up) return new Error('connection refused');
    const heard = (tell: () => void): void =>
      this.link.down(() => {
        this.#heard = this.#parts.clock.monotonic();
        if (!this.#ended) tell();
      });
    try {
      this.#sender = new WalSender(server, scheduler, application, {
        message: (message) => heard(() => this.#listener.message(message)),
        reached: (lsn) => heard(() => this.#listener.reached(lsn)),
        ended: () => this.link.down(() => this.#end(new Error('ended by the database'))),
      });
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
    return undefined;
  }

  #sign(): void {
    if (this.#ended) return;
    const { clock } = this.#parts;
    if (clock.monotonic() - this.#heard > SILENCE) return this.#end(new Error('the database is silent'));
    this.#say();
    this.#cancel = clock.schedule(SIGN, () => this.#sign());
  }

  #say(): void {
    const lsn = Number(this.#acknowledged);
    this.link.up(() => this.#sender?.confirm(lsn));
  }

  #end(cause: Error): void {
    this.#failed(cause);
    if (this.#ended) return;
    this.#ended = true;
    this.#cancel();
    this.#listener.ended(cause);
  }
}
