import type { Position } from '../coherence/position.ts';

/** The log's place at a time, verified: whether it went on afterwards is not said. */
export interface Proof extends Position {
  /** On the stopwatch: when it was asked for. */
  readonly at: number;
}

/** An append that was answered. */
export interface Sent extends Position {
  /** On the stopwatch: when the answer was there. */
  readonly at: number;
}

/**
 * What became of an append: `kept` once the log has proven that it holds the record, `lost` once it has proven, asked after the
 * answer, that it is in another epoch, and `open` until then.
 *
 * A later epoch cannot hide a record that it needs, since all that is cached under it was loaded after it began. It is sent
 * again all the same, because the answer may come from a server that was the log no longer: 1. A replica is promoted, and
 * begins an epoch. 2. A node loads under it. 3. The change commits. 4. The old primary, which has not heard of it, takes the
 * record.
 */
export function fateOf(sent: Sent, proof: Proof | undefined): 'kept' | 'lost' | 'open' {
  if (proof === undefined) return 'open';
  if (proof.epoch === sent.epoch) return proof.number >= sent.number ? 'kept' : 'open';
  return proof.at > sent.at ? 'lost' : 'open';
}
