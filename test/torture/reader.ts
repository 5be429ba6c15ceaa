import type { Provenance, Token } from '../../src/index.ts';
import type { Site } from '../simulation/catalogue.ts';
import type { ReadCall, Value, Wish } from '../simulation/history.ts';
import type { Life } from './life.ts';

interface Brought {
  readonly values: readonly (Value | undefined)[];
  readonly from: string;
  readonly stale: boolean;
}

const CALLS = ['read', 'getOrSet', 'many', 'consistent'] as const;
const WEIGHTS = [80, 15, 2, 3];

/** Lives do not share numbers of reads. */
const PER_LIFE = 100_000_000;

/** Reads rows through one life's cache, and writes down what was asked and answered. */
export class Reader {
  static #reads = 0;
  readonly #life: Life;

  constructor(life: Life) {
    this.#life = life;
  }

  /** Reads again and again, with pauses, until the life is no longer busy. */
  async run(): Promise<void> {
    const { random, assignment } = this.#life;
    while (this.#life.busy) {
      const row = random.below(assignment.rows);
      const call = CALLS[random.weighted(WEIGHTS)] ?? 'read';
      if (call === 'read') await this.read('read', row);
      else if (call === 'getOrSet') await this.#getOrSet(row);
      else await this.#several(call);
      await this.#life.pause(12);
    }
  }

  /** One read with provenance; settles when it is answered, and never rejects. */
  read(call: 'read' | 'audit', row: number): Promise<void> {
    return this.#note(call, [row], this.#life.site, undefined, async () =>
      one(await this.#life.rows.read(...this.#life.args(row))),
    );
  }

  /** The same with the token of a write. */
  readAtLeast(row: number, write: number, token: Token): Promise<void> {
    const query = this.#life.rows.with({ atLeast: token });
    return this.#note('atLeast', [row], this.#life.site, write, async () =>
      one(await query.read(...this.#life.args(row))),
    );
  }

  #getOrSet(row: number): Promise<void> {
    const { catalogue, random, cache } = this.#life;
    const site = random.chance(0.5) ? 'tagged' : 'bare';
    return this.#note('getOrSet', [row], site, undefined, async () => {
      const tags = catalogue.tags(row, site);
      const value = await cache.getOrSet(catalogue.key(row), (ctx) => this.#life.load(row, ctx), { tags });
      return unknown([value]);
    });
  }

  #several(call: 'many' | 'consistent'): Promise<void> {
    const { random, assignment, cache, rows } = this.#life;
    const chosen = random.shuffled(Array.from({ length: assignment.rows }, (_, row) => row)).slice(0, 2);
    const args = chosen.map((row) => this.#life.args(row));
    return this.#note(call, chosen, this.#life.site, undefined, async () =>
      unknown(
        call === 'many' ? await rows.many(args) : await cache.consistent(args.map((them) => rows.request(...them))),
      ),
    );
  }

  async #note(
    call: ReadCall,
    rows: readonly number[],
    site: Site,
    write: number | undefined,
    work: () => Promise<Brought>,
  ): Promise<void> {
    const { history, catalogue, assignment } = this.#life;
    const { node, life } = assignment;
    const read = life * PER_LIFE + ++Reader.#reads;
    const wish: Wish = { call, tolerance: 0, detached: 0, write };
    history.add({ type: 'asked', read, node, life, cells: rows.map((row) => catalogue.cell(row, site)), wish });
    this.#life.unsettled++;
    try {
      history.add({ type: 'answered', read, ...(await work()) });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'LOADER';
      history.add({ type: 'failed', read, code, load: undefined, text: String(error) });
    }
    this.#life.unsettled--;
  }
}

function one({ value, from, stale }: Provenance<Value>): Brought {
  return { values: [value], from, stale };
}

function unknown(values: readonly (Value | undefined)[]): Brought {
  return { values, from: 'unknown', stale: false };
}
