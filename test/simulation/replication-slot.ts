/** Who reads a slot. */
export interface SlotReader {
  readonly pid: number;
  readonly application: string;
  /** Ended by the server. */
  terminate(): void;
}

/** A place in a database's log from which on it is kept for a reader. */
export class ReplicationSlot {
  /** What was committed before is not sent any more. */
  confirmed: number;
  /** What of it outlives a crash. */
  #persisted: number;
  /** Why it is of no use any more. */
  lost: string | undefined;
  reader: SlotReader | undefined;

  constructor(at: number) {
    this.confirmed = this.#persisted = at;
  }

  /** @param persists whether a crash finds it on the disk */
  confirm(lsn: number, persists: boolean): void {
    this.confirmed = Math.max(this.confirmed, lsn);
    if (persists) this.#persisted = this.confirmed;
  }

  crash(): void {
    this.confirmed = this.#persisted;
  }
}
