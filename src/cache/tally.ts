/** One of so many reads that memory answers is timed, where somebody listens; a power of two. */
export const TIMED_ONE_IN = 128;

/** What is counted without an event, since an event would cost more than a hit does; of one query. */
export interface Counts {
  /** The path of the query; `undefined` for what is read by key. */
  readonly query: string | undefined;
  /** Reads that memory has answered. */
  readonly memoryHits: number;
  /** Reads, or flights that several may share, that the store has answered. */
  readonly storeHits: number;
  /** Entries that came from the store into memory. */
  readonly promotions: number;
}

/** Counts the hits of one query, and says which of its reads is timed. */
export class Tally implements Counts {
  readonly query: string | undefined;
  /** One more than the hits in memory: with every bit of the mask set, no read is due. */
  #turn = 1;
  #mask = -1;
  storeHits = 0;
  promotions = 0;

  constructor(query: string | undefined) {
    this.query = query;
  }

  get memoryHits(): number {
    return this.#turn - 1;
  }

  /** Memory has answered. On the way of every hit. */
  hit(): void {
    this.#turn++;
  }

  /** Whether the read that begins is timed. On the way of every hit. */
  get due(): boolean {
    return (this.#turn & this.#mask) === 0;
  }

  set timing(on: boolean) {
    this.#mask = on ? TIMED_ONE_IN - 1 : -1;
  }
}

/** The tallies of a cache: one for what is read by key, and one for each query. */
export class Tallies {
  readonly byKey: Tally = new Tally(undefined);
  readonly #all: Tally[] = [this.byKey];
  #timing = false;

  /** @param query its path */
  add(query: string): Tally {
    const tally = new Tally(query);
    tally.timing = this.#timing;
    this.#all.push(tally);
    return tally;
  }

  set timing(on: boolean) {
    this.#timing = on;
    for (const tally of this.#all) tally.timing = on;
  }

  /** As of now, and not changed afterwards. */
  counts(): readonly Counts[] {
    return this.#all.map(({ query, memoryHits, storeHits, promotions }) => ({
      query,
      memoryHits,
      storeHits,
      promotions,
    }));
  }
}
