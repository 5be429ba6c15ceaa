import type { AdminOptions } from '../admin/index.ts';
import type { CacheOptions } from '../index.ts';

/** What `tidemark serve` serves: the HTTP API of a fleet, with the options of `createAdmin`. */
export interface ServeConfig extends AdminOptions {
  /** Options as the fleet's services give them to `createCache`. */
  readonly cache: CacheOptions;
  /** Default 9595; 0 for a free one. */
  readonly port?: number;
  /** The address to listen on; default `127.0.0.1`, which only this machine reaches. */
  readonly host?: string;
}
