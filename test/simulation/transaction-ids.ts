/** Who runs in a database, by the ids of transactions: what its snapshots tell. */
export class TransactionIds {
  /** So that the lower half, which is all that replication tells, begins anew within a run. */
  #next = 2n ** 32n - 30n;
  readonly #running = new Set<bigint>();

  begin(): bigint {
    const xid = this.#next++;
    this.#running.add(xid);
    return xid;
  }

  end(xid: bigint): void {
    this.#running.delete(xid);
  }

  /** As `pg_current_snapshot()` gives it. */
  snapshot(): string {
    const running = [...this.#running].sort((a, b) => (a < b ? -1 : 1));
    return `${running[0] ?? this.#next}:${this.#next}:${running.join(',')}`;
  }

  /** The same, if nobody ran. */
  idleSnapshot(): string {
    return `${this.#next}:${this.#next}:`;
  }
}
