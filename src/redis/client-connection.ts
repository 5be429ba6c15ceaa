import type { Argument, Connection, Reply } from './connection.ts';

/** What one connection of a driver does: `send` in the order of the calls, and `end` at once, rejecting what is under way. */
export interface ConnectionParts {
  readonly send: (args: readonly (string | Buffer)[]) => Promise<Reply>;
  readonly end: () => void;
}

/** A connection that a driver has opened for us alone; whoever made it calls {@link ClientConnection.lost}. */
export class ClientConnection implements Connection {
  readonly #parts: ConnectionParts;
  #listeners: ((cause?: unknown) => void)[] = [];
  #cause: unknown;
  #closed = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(args: readonly Argument[]): Promise<Reply> {
    if (this.#closed) return Promise.reject(new Error('The connection to Redis is closed.', { cause: this.#cause }));
    try {
      return this.#parts.send(args.every(isWritten) ? (args as readonly (string | Buffer)[]) : args.map(asWritten));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  onClose(listener: (cause?: unknown) => void): void {
    if (this.#closed) listener(this.#cause);
    else this.#listeners.push(listener);
  }

  close(): void {
    this.lost(undefined);
  }

  /** It cannot be used any more: says so, once, and frees what the driver still holds. */
  lost(cause: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cause = cause;
    try {
      this.#parts.end();
    } catch {
      // node-redis throws when what is to be ended has ended by itself.
    }
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(cause);
  }
}

function isWritten(arg: Argument): boolean {
  return typeof arg === 'string' || Buffer.isBuffer(arg);
}

/** Drivers take `Buffer`s only: ioredis writes other lists of bytes as the text of their numbers. */
export function asWritten(arg: Argument): string | Buffer {
  if (typeof arg === 'string' || Buffer.isBuffer(arg)) return arg;
  return Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
}

/**
 * A connection that has answered: one that is accepted by a server that loads its data, or wants a password, is none.
 *
 * @param opening what rejects when the attempt fails
 * @param timeout of the whole attempt, in ms; then `connection` is closed
 * @param failure what the driver has said by an event, which tells more than its rejection
 */
export async function answering(
  connection: ClientConnection,
  opening: () => Promise<unknown>,
  timeout: number,
  failure: () => unknown = () => undefined,
): Promise<Connection> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No connection to Redis within ${timeout} ms.`)), timeout);
  });
  const ready = async (): Promise<void> => {
    await opening();
    await connection.send(['PING']).catch((error: unknown) => {
      // A user who may not ask has been let in nevertheless.
      if (!(error instanceof Error && error.message.startsWith('NOPERM'))) throw error;
    });
  };
  try {
    await Promise.race([ready(), late]);
    return connection;
  } catch (error) {
    connection.lost(error);
    throw failure() ?? error;
  } finally {
    clearTimeout(timer);
  }
}
