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

  sendAll(commands: readonly (readonly Argument[])[]): Promise<readonly (Error | undefined)[]> {
    return this.#link.run((connection) => allOf(commands.map((args) => connection.send(args))));
  }

  close(): void {
    this.#link.close();
  }
}

/** The error of each, once all have ended; rejects with the last where all have failed. */
function allOf(replies: readonly Promise<Reply>[]): Promise<readonly (Error | undefined)[]> {
  return new Promise((resolve, reject) => {
    const errors: (Error | undefined)[] = replies.map(() => undefined);
    if (replies.length === 0) resolve(errors);
    let left = replies.length;
    let failed = 0;
    const answered = (): void => {
      if (--left === 0) resolve(errors);
    };
    replies.forEach((reply, i) => {
      reply.then(answered, (error: Error) => {
        errors[i] = error;
        if (++failed === replies.length) reject(error);
        answered();
      });
    });
  });
}
