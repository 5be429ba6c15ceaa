import type { LogRecord } from '../index.ts';
import type { RecentRecord } from './recent-records.ts';

/** A record, and when this node has applied it, where it knows that. */
export interface KnownRecord {
  readonly record: LogRecord;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly appliedAt: number | undefined;
}

/** What is known of a stretch of the log: the records that this node has applied, and those that were read for the occasion. */
export class History {
  readonly #known = new Map<number, KnownRecord>();

  constructor(recent: readonly RecentRecord[]) {
    // The newest come first: of two with one number, which only another epoch can have, the newest counts.
    for (const it of recent) if (!this.#known.has(it.record.number)) this.#known.set(it.record.number, it);
  }

  add(records: readonly LogRecord[]): void {
    for (const record of records)
      if (!this.#known.has(record.number)) this.#known.set(record.number, { record, appliedAt: undefined });
  }

  at(number: number): KnownRecord | undefined {
    return this.#known.get(number);
  }

  /** Those after a number, up to another one, newest first. */
  between(after: number, upTo: number): readonly KnownRecord[] {
    const found = [...this.#known.values()].filter(({ record }) => record.number > after && record.number <= upTo);
    return found.sort((a, b) => b.record.number - a.record.number);
  }

  /** Whether every record after a number is known, up to that with another: each names the one before it. */
  isWhole(after: number, upTo: number): boolean {
    let next = upTo;
    while (next > after) {
      const known = this.#known.get(next);
      if (known === undefined) return false;
      next = known.record.prev;
    }
    return true;
  }
}
