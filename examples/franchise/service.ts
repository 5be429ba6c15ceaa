import type { Writable } from 'node:stream';
import type { Sql } from './domain/database.ts';
import type { Tenants } from './domain/tenants.ts';

/** What an instance is made of, whichever framework serves it. */
export interface ServiceParts {
  readonly sql: Sql;
  readonly tenants: Tenants;
  /** Of the Redis that the instances share; without it there is only one. */
  readonly redisUrl?: string | undefined;
  readonly log: { readonly level: string; readonly stream: Writable } | false;
}

/** One instance of the service. Closing it closes its cache too; the database is the caller's. */
export interface Service {
  /** @returns the address that it answers at. Rejects with `EADDRINUSE` where the port is taken */
  listen(port: number, host: string): Promise<string>;
  close(): Promise<void>;
}

/** The same service on one framework. */
export type Edition = (parts: ServiceParts) => Promise<Service>;
