import type { Duration } from '../coherence/duration.ts';
import type { Token } from '../coherence/position.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause, Lsn } from '../coherence/record.ts';
import type { Target } from '../coherence/target.ts';

/** The part of a cache that transactions need. */
export interface Invalidator {
  invalidate(
    targets: readonly Target[],
    options: { readonly id?: string; readonly cause?: Cause; readonly lsn?: Lsn; readonly lsnMark?: Token },
  ): Promise<Receipt>;
  /** Before a bound of the database's log is read. */
  mark?(): Token;
  /** Inside the transaction: its snapshot is older, and it sees rows that nobody else may see. */
  bypass?<T>(fn: () => T): T;
  /** Where it is traced: what the written copy of the targets carries to the relay. */
  readonly parts?: { traceparent(): string | undefined };
  /** For strict writes. */
  announce?(
    targets: readonly Target[],
    options: { readonly id?: string; readonly timeout?: Duration; readonly cause?: Cause },
  ): Promise<Announced>;
}

/** A strict write that every node has confirmed, see `Cache.announce`. */
export interface Announced {
  committed(options: {
    readonly id?: string;
    readonly cause?: Cause;
    readonly lsn?: Lsn;
    readonly lsnMark?: Token;
  }): Promise<Receipt>;
  rolledBack(): Promise<Receipt>;
  unknown(): void;
}
