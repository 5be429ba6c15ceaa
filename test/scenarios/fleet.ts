import { setTimeout as pause } from 'node:timers/promises';
import type { CacheOptions } from '../../src/index.ts';
import type { RedisOptions } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Member, type Read } from './member.ts';
import { type Broken, Truth } from './truth.ts';

/** The least that there is, in ms. */
const LEAST_LAG = 500;
/** In ms; a lease of a key is asked for 2 s at a time. */
const LONG = 8_000;

/** A row that a node did not have the newest version of when all was over, or did not keep. */
interface Missing extends Read {
  readonly row: string;
  readonly newest: number;
}

/** What readers and writers have to show for a story. */
interface Outcome {
  readonly broken: readonly Broken[];
  readonly errors: readonly unknown[];
  readonly missing: readonly Missing[];
  /** How long the slowest reads of nodes have taken, in ms, where that is more than a lease that its holder has lost may cost. */
  readonly slow: readonly number[];
}

/** Nothing was stale, nothing failed, and all is as it should be again. */
export const CLEAN: Outcome = { broken: [], errors: [], missing: [], slow: [] };

/** Several caches of one name, in this process, over a source of truth. */
export class Fleet {
  readonly truth: Truth;
  readonly members: Member[] = [];
  /** What reads and writes have thrown. */
  readonly errors: unknown[] = [];
  readonly #options: CacheOptions;

  /** @param options `maxLag` in ms */
  constructor({ maxLag = LEAST_LAG, ...options }: Partial<CacheOptions> & { readonly maxLag?: number } = {}) {
    this.truth = new Truth(maxLag);
    this.#options = { name: 'shop', maxLag, ...options };
  }

  join(on: RedisOptions): Member {
    const member = new Member(this.truth, on, this.#options);
    this.members.push(member);
    return member;
  }

  async ready(): Promise<void> {
    await Promise.all(this.members.map((member) => member.ready()));
  }

  /** Two readers and a writer on each node, until the returned function is called. */
  busy(rows: readonly string[]): () => Promise<void> {
    let isBusy = true;
    const loop = async (work: (row: string) => Promise<unknown>): Promise<void> => {
      while (isBusy) {
        await work(rows[Math.floor(Math.random() * rows.length)] as string).catch((error: unknown) => {
          this.errors.push(error);
        });
        await pause(2);
      }
    };
    const loops = this.members.flatMap((member) => [
      loop((row) => member.read(row)),
      loop((row) => member.read(row)),
      loop((row) => member.write(row)),
    ]);
    return async () => {
      isBusy = false;
      await Promise.all(loops);
    };
  }

  /** Waits until every node is attached, and reads each row until it hits. */
  async heal(rows: readonly string[]): Promise<Outcome> {
    await this.ready();
    const missing: Missing[] = [];
    for (const member of this.members) {
      for (const row of rows) {
        const newest = this.truth.version(row);
        let read = await member.read(row);
        const isKept = (): boolean => read.value === newest && read.from === 'memory';
        const look = async (): Promise<boolean> => {
          read = await member.read(row);
          return isKept();
        };
        await waitUntil(look, { timeout: 15_000 }).catch(() => {});
        if (!isKept()) missing.push({ row, newest, ...read });
      }
    }
    const slow = this.members.map((member) => member.slowest).filter((ms) => ms > LONG);
    return { broken: this.truth.broken, errors: this.errors, missing, slow };
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.cache.close({ drain: 0 })));
  }
}
