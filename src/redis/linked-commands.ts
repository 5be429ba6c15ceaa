import type { Argument, Commands, Reply } from './connection.ts';
import type { Link } from './link.ts';

/** Commands over one link: one server has all keys. Calls of one turn share a round trip. */
export class LinkedCommands implements Commands {
  readonly spread = false;
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Rejects as {@link Link.run} does, and with the server's error. */
  send(_key: string, args: readonly Argument[]): Promise<Reply> {
    return this.#link.run((connection) => connection.send(args));
  }

  close(): void {
    this.#link.close();
  }
}
