/**
 * A shared store of encoded entries (L2).
 *
 * It does not promise that what was set is found again, that it is the newest that was set, that a removed entry stays
 * away, or that it expires on time: the rule decides about truth, the store only saves work. It must not promise to be
 * up; every error is survived, reported, and treated as "not found".
 */
export interface Store {
  /** One answer for each key, in order; `undefined` where there is none. */
  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Keeps `bytes` for at most `ttl` ms. The caller does not change them afterwards. */
  set(key: string, bytes: Uint8Array, ttl: number): Promise<void>;
  /** Forgets keys; returns how many there were. */
  remove(keys: readonly string[]): Promise<number>;
  close(): Promise<void>;
}
