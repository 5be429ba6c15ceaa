import { TidemarkError } from '../coherence/errors.ts';
import type { Cancel, Clock } from '../coherence/clock.ts';
import { VALUE_SETTINGS, valueParser } from './capture-value.ts';
import { formatLsn, parseLsn } from './lsn.ts';
import { type PgoutputMessage, walMessage } from './pgoutput-message.ts';
import type { OpenWalStream, WalStream, WalStreamListener } from './wal-stream.ts';

/** Between two signs of life, in ms. */
const SIGN = 1_000;
/** Signs without an answer, after which the server counts as gone. */
const UNANSWERED = 10;
/** How long a start may take, in ms. */
const DEADLINE = 15_000;

/**
 * Reads slots over the replication protocol.
 *
 * @param settings what a client of `pg` connects with
 */
export function pgoutputStreams(settings: Readonly<Record<string, unknown>>, clock: Clock): OpenWalStream {
  return async ({ slot, publication, application }, acknowledged, listener) => {
    const { LogicalReplicationService, PgoutputPlugin } = await client();
    const service = new LogicalReplicationService(
      { ...settings, application_name: application },
      // What it would acknowledge of itself is what it has received.
      { acknowledge: { auto: false, timeoutSeconds: 0 } },
    );
    const plugin = new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication], messages: true });
    prepare(plugin);
    return new Stream(service, clock).start(() => service.subscribe(plugin, slot), acknowledged, listener);
  };
}

type Client = typeof import('pg-logical-replication');
type Service = InstanceType<Client['LogicalReplicationService']>;
type Plugin = InstanceType<Client['PgoutputPlugin']>;

async function client(): Promise<Client> {
  try {
    return await import('pg-logical-replication');
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new TidemarkError(
      'INVALID_OPTION',
      'capture: the client of the replication protocol is not installed. Run "npm install pg pg-logical-replication".',
      { cause },
    );
  }
}

/** Values are read in our own way, and what cannot be read does not end the process. */
function prepare(plugin: Plugin): void {
  const parse = plugin.parse.bind(plugin);
  plugin.parse = (buffer) => {
    let message: ReturnType<typeof parse>;
    try {
      message = parse(buffer);
    } catch (error) {
      return { tag: 'unreadable', error } as never;
    }
    if (message.tag === 'relation') for (const it of message.columns) it.parser = valueParser(it.typeOid);
    return message;
  };
  const start = plugin.start.bind(plugin);
  plugin.start = async (connection, slot, from) => {
    // One whose reader is gone is free again soon, so that another can have it.
    await connection.query(`${VALUE_SETTINGS}; SET wal_sender_timeout = '${UNANSWERED * SIGN}ms'`);
    return start(connection, slot, from) as unknown;
  };
}

class Stream implements WalStream {
  readonly #service: Service;
  readonly #clock: Clock;
  #acknowledged = 0n;
  #unanswered = 0;
  #cancel: Cancel | undefined;
  #ended = false;

  constructor(service: Service, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
  }

  async start(subscribe: () => Promise<unknown>, acknowledged: bigint, listener: WalStreamListener): Promise<this> {
    this.#acknowledged = acknowledged;
    const end = (cause: unknown): void => {
      if (this.#ended) return;
      this.#end();
      listener.ended(cause);
    };
    try {
      await new Promise<void>((started, fail) => {
        const service = this.#service;
        this.#cancel = this.#clock.schedule(DEADLINE, () =>
          fail(new Error(`Postgres did not start to send within ${DEADLINE} ms.`)),
        );
        // The same error comes both ways, in this order or the other.
        service.on('error', (error: Error) => {
          fail(error);
          end(error);
        });
        service.on('start', () => started());
        // What is thrown here would end the process: it comes from the socket.
        const heard = (tell: () => void): void => {
          this.#unanswered = 0;
          if (this.#ended) return;
          try {
            tell();
          } catch (error) {
            end(error);
            void this.stop();
          }
        };
        service.on('data', (_lsn, message: PgoutputMessage) => heard(() => listener.message(walMessage(message))));
        service.on('heartbeat', (lsn) => heard(() => listener.reached(parseLsn(lsn))));
        subscribe().then(
          () => end(undefined),
          (error: unknown) => {
            fail(error);
            end(error);
          },
        );
      });
    } catch (error) {
      this.#ended = true;
      await this.stop();
      throw error;
    }
    this.#cancel?.();
    this.#sign(end);
    return this;
  }

  acknowledge(lsn: bigint): void {
    this.#acknowledged = lsn;
    this.#say(false);
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#service.destroy().catch(() => {});
  }

  #end(): void {
    this.#ended = true;
    this.#cancel?.();
  }

  /** Asked for an answer each time, so that silence means something. */
  #sign(end: (cause: unknown) => void): void {
    if (this.#ended) return;
    if (this.#unanswered++ >= UNANSWERED) {
      end(new Error(`Postgres was silent for ${UNANSWERED} seconds.`));
      void this.stop();
      return;
    }
    this.#say(true);
    this.#cancel = this.#clock.schedule(SIGN, () => this.#sign(end));
  }

  #say(answer: boolean): void {
    // The client adds 1 to what it is given, as if it were the last byte. The server would take a commit that begins at the very
    // byte where the last one ended for acknowledged, and never send it.
    if (!this.#ended && this.#acknowledged > 0n)
      void this.#service.acknowledge(formatLsn(this.#acknowledged - 1n), answer).catch(() => {});
  }
}
