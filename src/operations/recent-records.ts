import type { LogRecord } from '../index.ts';

/** A record, and when this node has applied it. */
export interface RecentRecord {
  readonly record: LogRecord;
  /** Milliseconds since 1970, by this machine's clock. */
  readonly appliedAt: number;
}

/** The newest records that this node has applied, for people: who has invalidated what, when, and why. */
export class RecentRecords {
  readonly #most: number;
  readonly #ring: RecentRecord[] = [];
  /** Where the next one goes, once the ring is full. */
  #next = 0;

  /** @param most how many are remembered */
  constructor(most: number) {
    this.#most = most;
  }

  add(recent: RecentRecord): void {
    if (this.#most === 0) return;
    if (this.#ring.length < this.#most) this.#ring.push(recent);
    else this.#ring[this.#next] = recent;
    this.#next = (this.#next + 1) % this.#most;
  }

  /**
   * Newest first.
   *
   * @param most how many
   * @param before only records that were applied before the one with this number
   */
  list(most: number = this.#most, before?: number): readonly RecentRecord[] {
    const all = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].toReversed();
    const from = before === undefined ? 0 : all.findIndex(({ record }) => record.number < before);
    return from < 0 ? [] : all.slice(from, from + most);
  }

  /** The record with this number, if it is remembered; of several epochs the newest. */
  find(number: number): RecentRecord | undefined {
    return this.list().find(({ record }) => record.number === number);
  }
}
