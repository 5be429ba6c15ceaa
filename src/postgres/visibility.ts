import { shorten, TidemarkError } from '../coherence/errors.ts';

/**
 * Who is visible to a new snapshot of the primary. The log tells of a commit earlier: 1. A transaction's commit is written.
 * 2. The log is sent to its readers. 3. The transaction waits for synchronous replicas, which may take for ever. 4. It leaves
 * the list of those that run, and is visible. A record that is appended before 4 is followed by loads of the old value.
 */
export interface SnapshotView {
  /** All below have ended. */
  readonly xmin: bigint;
  /** None from here on was seen. */
  readonly xmax: bigint;
  /** Those between that run. */
  readonly running: ReadonlySet<bigint>;
}

/**
 * Reads what `pg_current_snapshot()` gives, such as `748:752:748,750`.
 *
 * @throws TidemarkError `INVALID_RECORD` for anything else
 */
export function parseSnapshot(text: unknown): SnapshotView {
  const [, xmin, xmax, running] = (typeof text === 'string' && /^(\d+):(\d+):([\d,]*)$/.exec(text)) || [];
  if (xmin === undefined || xmax === undefined)
    throw new TidemarkError('INVALID_RECORD', `${shorten(text)} is no snapshot of Postgres, such as 748:752:748,750.`);
  const ids = running === undefined || running === '' ? [] : running.split(',');
  return { xmin: BigInt(xmin), xmax: BigInt(xmax), running: new Set(ids.map(BigInt)) };
}

/** Whether a transaction that has committed is visible. */
export function isVisible(xid: bigint, { xmin, xmax, running }: SnapshotView): boolean {
  return xid < xmin || (xid < xmax && !running.has(xid));
}

/**
 * The 64-bit id of a transaction of which the lower half is known: the one nearest to a snapshot of the same time, since no two
 * that exist at once are further apart than 2^31.
 *
 * @param half as the stream gives it; its sign does not matter
 */
export function fullXid(half: number, { xmax }: SnapshotView): bigint {
  const distance = BigInt.asIntN(32, BigInt(half) - xmax);
  return xmax + distance;
}
