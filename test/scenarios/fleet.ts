import type { CacheOptions } from '../../src/index.ts';
import type { RedisOptions } from '../../src/redis/index.ts';
import { Member } from './member.ts';
import { type Broken, Truth } from './truth.ts';

/** The least that there is, in ms. */
const MAX_LAG = 500;

/** A row that a node did not have the newest version of when all was over, or did not keep. */
interface Missing {
  readonly row: string;
  readonly value: number;
  readonly newest: number;
  readonly from: string;
}

/** What readers and writers have to show for a story. */
interface Outcome {
  readonly broken: readonly Broken[];
  readonly errors: readonly unknown[];
  readonly missing: readonly Missing[];
}

/** Nothing was stale, nothing failed, and all is as it should be again. */
export const CLEAN: Outcome = { broken: [], errors: [], missing: [] };

/** Several caches of one name, in this process, over a source of truth. */
export class Fleet {
  readonly truth = new Truth(MAX_LAG);
  readonly members: Member[] = [];
  /** What reads and writes have thrown. */
  readonly errors: unknown[] = [];
  readonly #options: CacheOptions;

  constructor(options: Partial<CacheOptions> = {}) {
    this.#options = { name: 'shop', maxLag: MAX_LAG, ...options };
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
        await new Promise((resolve) => setImmediate(resolve));
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

  /** Waits until every node is attached and reads each row twice: the first tells the value, the second where it hits. */
  async heal(rows: readonly string[]): Promise<Outcome> {
    await this.ready();
    const missing: Missing[] = [];
    for (const member of this.members) {
      for (const row of rows) {
        const [first, { from }] = [await member.read(row), await member.read(row)];
        const newest = this.truth.version(row);
        if (first.value !== newest || from !== 'memory') missing.push({ row, value: first.value, newest, from });
      }
    }
    return { broken: this.truth.broken, errors: this.errors, missing };
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.cache.close({ drain: 0 })));
  }
}
