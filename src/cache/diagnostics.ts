import type { LogRecord } from '../coherence/record.ts';

/** What the server of a fleet's log and store says of itself. What it does not say is `undefined`. */
export interface ServerReport {
  /** Such as `redis 7.0.15` or `valkey 8.1.1`. */
  readonly server: string;
  /** Bytes in use, and the most that it may use; 0 for no limit. */
  readonly memoryUsed: number | undefined;
  readonly memoryMost: number | undefined;
  /** What it does when its memory is full, such as `noeviction` or `allkeys-lru`. */
  readonly evictionPolicy: string | undefined;
  readonly clients: number | undefined;
  /** Of keys of anybody, since the server started. */
  readonly hits: number | undefined;
  readonly misses: number | undefined;
  readonly evicted: number | undefined;
  readonly expired: number | undefined;
  /** Milliseconds since it started. */
  readonly uptime: number | undefined;
  /** `primary` or `replica`, and of a primary how many replicas are attached. */
  readonly role: string | undefined;
  readonly replicas: number | undefined;
  /** Bytes of the log's own keys (stream, table, the rest), and the number of appends in the stream: of one record each, or a few. */
  readonly logBytes: number | undefined;
  readonly logRecords: number | undefined;
}

/** A part of a listing. */
export interface KeyPage {
  /** Places, see `placeOf`; a key may stand in more than one page. */
  readonly places: readonly string[];
  /** Where the next part begins; `undefined` after the last. */
  readonly next: string | undefined;
}

/**
 * What tools look at on the server of a fleet. It reads, changes nothing, and is not for the way of a request.
 *
 * It does not promise that what it shows was ever true at one moment, nor that records that were trimmed are shown.
 */
export interface Diagnostics {
  server(): Promise<ServerReport>;
  /** Whether there is a log of this name at all; asked without making one. */
  exists(): Promise<boolean>;
  /**
   * Stored entries whose key is `prefix` or below it; all for `''`.
   *
   * @param from `next` of the page before, `undefined` for the first
   * @param most about so many in a page; a page may be empty and not the last
   */
  places(prefix: string, from: string | undefined, most: number): Promise<KeyPage>;
  /** The newest records that can still be read, newest first; of the present epoch. @param before only those with a smaller number */
  records(most: number, before?: number): Promise<readonly LogRecord[]>;
}
