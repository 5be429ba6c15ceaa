import type { Label } from '../coherence/label.ts';
import type { Target } from '../coherence/target.ts';

/** An encoded entry on its way into a store. */
export interface StoredEntry {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** In ms. */
  readonly ttl: number;
  readonly labels: readonly Label[];
}

/**
 * A shared store of encoded entries (L2). Its keys are places: canonical keys, or those of a version (`placeOf`); `plainKey`
 * takes both.
 *
 * It does not promise that what was set is found again, that it is the newest that was set, that a removed entry stays
 * away, or that it expires on time: the rule decides about truth, the store only saves work. It must not promise to be
 * up; every error is survived, reported, and treated as "not found".
 */
export interface Store {
  /** What it is, as spans name it: OpenTelemetry's `db.system.name`, such as `redis`. Left out where it is no server. */
  readonly system?: string;
  /** One answer for each key, in order; `undefined` where there is none. */
  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /**
   * Keeps `bytes` for at most `ttl` ms. The caller does not change them afterwards.
   *
   * @param labels what the entry depends on, for `reclaim` to find it by; without them, its key and the keys above it
   */
  set(key: string, bytes: Uint8Array, ttl: number, labels?: readonly Label[]): Promise<void>;
  /**
   * {@link set} for entries of one turn, by one request; without it they are set one by one. Rejects where none was kept.
   *
   * @returns for each, in order, `undefined`, or why it was not kept
   */
  setMany?(entries: readonly StoredEntry[]): Promise<readonly (Error | undefined)[]>;
  /** Forgets keys; returns how many there were. */
  remove(keys: readonly string[]): Promise<number>;
  /**
   * Frees the memory of entries that targets cover, and returns how many there were. Only a store that keeps track of
   * labels has it; others leave covered entries to their TTL.
   *
   * It does not promise to find all of them, nor to spare what is filled while it runs, or what has lost a label since
   * it was set before: such an entry is a miss. Call it after the record is appended: what is filled later need not go.
   */
  reclaim?(targets: readonly Target[]): Promise<number>;
  close(): Promise<void>;
}
