import type { Session } from '../../src/postgres/driver.ts';
import { DatabaseBackend } from './database-backend.ts';
import { DatabaseLink, type DatabaseLinkParts } from './database-link.ts';
import type { DatabaseServer } from './database-server.ts';
import type { Rows } from './database-statement.ts';

/** How long a statement may take before the connection is given up, in ms. */
const DEADLINE = 1_500;

/** A relay's connection to the database, as the library's own adapter is one: statements one after the other, each with a deadline. */
export class DatabaseSession implements Session {
  readonly link: DatabaseLink;
  readonly #parts: DatabaseLinkParts;
  readonly #backend: DatabaseBackend;
  readonly #listeners: ((cause: unknown) => void)[] = [];
  readonly #waiting = new Set<(error: Error) => void>();
  #last: Promise<unknown> = Promise.resolve();
  #ended: { readonly cause: unknown } | undefined;

  constructor(server: DatabaseServer, parts: DatabaseLinkParts) {
    this.#parts = parts;
    const lost = new Error('connection to the database lost');
    this.link = new DatabaseLink(parts, ({ client, server: heard }) => {
      if (heard) this.#backend.close();
      if (client) parts.clock.deliver(() => this.#end(lost));
    });
    this.#backend = new DatabaseBackend(server, parts.scheduler, () => {
      this.link.down(() => this.#end(new Error('connection ended by the database')));
    });
  }

  query(text: string, values: readonly unknown[] = []): Promise<Rows> {
    const answer = this.#last.then(() => this.#ask(text, values));
    this.#last = answer.catch(() => {});
    return answer;
  }

  listen(): Promise<void> {
    return Promise.reject(new Error('nobody listens here'));
  }

  onEnded(listener: (cause: unknown) => void): void {
    if (this.#ended === undefined) this.#listeners.push(listener);
    else listener(this.#ended.cause);
  }

  end(): void {
    this.link.up(() => this.#backend.close());
    this.#end(undefined);
  }

  #ask(text: string, values: readonly unknown[]): Promise<Rows> {
    if (this.#ended !== undefined) throw new Error('The connection to Postgres has ended.', this.#ended);
    return new Promise((resolve, reject) => {
      const settle = (error: Error | undefined, rows: Rows): void => {
        late();
        this.#waiting.delete(fail);
        if (error === undefined) resolve(rows);
        else reject(error);
      };
      const fail = (error: Error): void => settle(error, []);
      const late = this.#parts.clock.schedule(DEADLINE, () => this.#end(new Error('the database did not answer')));
      this.#waiting.add(fail);
      this.link.up(() => {
        if (!this.#backend.open) return;
        this.#backend.execute(text, values, (error, rows) => {
          if (this.#backend.open) this.link.down(() => settle(error, rows));
        });
      });
    });
  }

  #end(cause: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { cause };
    for (const fail of [...this.#waiting]) fail(new Error('connection to the database lost', { cause }));
    for (const listener of this.#listeners.splice(0)) listener(cause);
  }
}
