import type { Database, Session } from '../../src/postgres/driver.ts';
import type { OpenWalStream } from '../../src/postgres/wal-stream.ts';
import type { DatabaseLink, DatabaseLinkParts } from './database-link.ts';
import type { DatabaseServer } from './database-server.ts';
import { DatabaseSession } from './database-session.ts';
import { WalReader } from './wal-reader.ts';

/** How one process reaches the database. */
export class DatabaseClient implements Database {
  readonly embedded = false;
  /** Everything that it has opened, whether or not it is still of use. */
  readonly links: Set<DatabaseLink> = new Set();
  readonly #server: DatabaseServer;
  readonly #parts: DatabaseLinkParts;

  constructor(server: DatabaseServer, parts: DatabaseLinkParts) {
    this.#server = server;
    this.#parts = parts;
  }

  session(): Promise<Session> {
    const { scheduler, latency, clock } = this.#parts;
    return new Promise((resolve, reject) => {
      scheduler.after(latency.draw() * 2, () =>
        clock.deliver(() => {
          if (!this.#server.up) return reject(new Error('connection refused'));
          const session = new DatabaseSession(this.#server, this.#parts);
          this.links.add(session.link);
          resolve(session);
        }),
      );
    });
  }

  query(): Promise<never> {
    return Promise.reject(new Error('not asked'));
  }

  readonly replicate: OpenWalStream = ({ application }, acknowledged, listener) => {
    const reader = new WalReader(this.#parts, acknowledged, listener);
    this.links.add(reader.link);
    return reader.start(this.#server, application);
  };
}
