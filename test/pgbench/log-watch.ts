import { type Cache, createCache, key } from '../../src/index.ts';
import { keyLabel, labelText } from '../../src/coherence/label.ts';
import { redis } from '../../src/redis/index.ts';
import { keyOf, NAME } from './capturing.ts';
import type { RowName } from './row.ts';

/** Hears of every record, as a node does, and remembers when the log took it: the number is the time of its server. */
export class LogWatch {
  readonly #cache: Cache;
  /** By label, in ms of the wall clock. */
  readonly #taken = new Map<string, number[]>();
  /** Of records that cover every row. */
  readonly #everything: number[] = [];
  #missed = false;

  constructor(url: string, maxLag: number) {
    this.#cache = createCache({ name: NAME, maxLag, ...redis({ url }) });
    this.#cache.on((event) => {
      if (event.type === 'resync') this.#missed = true;
      if (event.type !== 'applied') return;
      const { kind, labels, number } = event.record;
      if (kind === 'everything') this.#everything.push(number / 1_000);
      for (const label of labels) this.#add(labelText(label), number / 1_000);
    });
  }

  /** Whether there are records that it has not heard of. */
  get missed(): boolean {
    return this.#missed;
  }

  /** Resolves when it hears; from then on it remembers. */
  async ready(): Promise<void> {
    await this.#cache.ready({ timeout: '1m' });
    this.#missed = false;
  }

  /** When the log took the first record about a row that is not older than `at`. */
  taken(row: RowName, at: number): number | undefined {
    const target = key(...keyOf(row));
    if (target.kind !== 'key') return undefined;
    const own = firstFrom(this.#taken.get(labelText(keyLabel(target.key))) ?? [], at);
    const all = firstFrom(this.#everything, at);
    return own === undefined || all === undefined ? (own ?? all) : Math.min(own, all);
  }

  async close(): Promise<void> {
    await this.#cache.close();
  }

  #add(label: string, at: number): void {
    const times = this.#taken.get(label);
    if (times === undefined) this.#taken.set(label, [at]);
    else times.push(at);
  }
}

/** The first of ordered times that is not before `at`. */
function firstFrom(times: readonly number[], at: number): number | undefined {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  return times[low];
}
