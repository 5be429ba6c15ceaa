import type { Query } from '../../src/cache/query.ts';
import type { LoadContext } from '../../src/cache/load-context.ts';
import type { Provenance } from '../../src/cache/read-path.ts';
import { within } from '../../src/coherence/deadline.ts';
import { TidemarkError } from '../../src/coherence/errors.ts';
import type { Site } from './catalogue.ts';
import type { DrawnCall } from './profile.ts';
import type { ReadCall, Value, Wish } from './history.ts';
import { describeFailure } from './loader.ts';
import type { Life, RowArguments } from './member.ts';
import type { Passed, World } from './world.ts';

/** What a read brought, as far as the call tells. */
interface Brought {
  readonly values: readonly (Value | undefined)[];
  readonly from: string;
  readonly stale: boolean;
}

/** Reads rows through one life's cache in every way there is, and writes down what was asked and answered. */
export class Reader {
  readonly #world: World;
  readonly #life: Life;
  readonly #session: readonly number[];

  /** @param session the writes that are known to the client in whose session it reads */
  constructor(world: World, life: Life, session: readonly number[] = []) {
    this.#world = world;
    this.#life = life;
    this.#session = session;
  }

  /** Reads again and again, with pauses, until the fleet is no longer busy. */
  async run(): Promise<void> {
    const { plan, random, latencies } = this.#world;
    for (;;) {
      await this.#pass(latencies.readThink.draw());
      if (!this.#world.busy) return;
      const drawn = plan.bypass && random.chance(0.1) ? 'bypass' : this.#call();
      const call = plan.keyv && random.chance(0.3) ? 'keyv' : drawn;
      await this.read(call, random.below(plan.rows));
    }
  }

  /** Reads a row in any of the usual ways. */
  readSomehow(row: number): Promise<void> {
    return this.read(this.#call(), row);
  }

  #call(): DrawnCall {
    const { plan, random } = this.#world;
    const calls = Object.keys(plan.profile.calls) as DrawnCall[];
    return calls[random.weighted(calls.map((call) => plan.profile.calls[call] ?? 0))] as DrawnCall;
  }

  /** One read; settles when it is answered, and never rejects. */
  async read(call: ReadCall, row: number, passed?: Passed): Promise<void> {
    const { random, tokens } = this.#world;
    switch (call) {
      case 'peek':
        return this.#peek(row);
      case 'get':
        return this.#note(call, [row], 'bare', {}, async () => one(await this.#life.cache.get<Value>(this.#key(row))));
      case 'getOrSet':
        return this.#getOrSet(row);
      case 'query':
        return this.#note(call, [row], this.#life.site, {}, async (read) =>
          one(await this.#life.rows(...this.#args(row, read))),
        );
      case 'many':
        return this.#many();
      case 'keyv':
        return this.#note(call, [row], 'keyv', {}, async () => one(await this.#wrapped(row)));
      case 'consistent':
        return this.#consistent();
      case 'bypass':
        return this.#note(call, [row], this.#life.site, {}, async (read) =>
          one(await this.#life.cache.bypass(() => this.#life.rows(...this.#args(row, read)))),
        );
      case 'atLeast': {
        const token = passed ?? (tokens.length > 0 ? random.pick(tokens.slice(-4)) : undefined);
        if (token === undefined) return;
        const tolerant = random.chance(0.2) ? { maxStaleness: 500 } : {};
        return this.#provenance(
          call,
          row,
          { write: token.write },
          this.#life.rows.with({ atLeast: token.token, ...tolerant }),
        );
      }
      case 'maxStaleness': {
        const tolerance = random.pick([50, 300, 900]);
        const soft = random.chance(0.3) ? { softTimeout: 20 } : {};
        return this.#provenance(call, row, { tolerance }, this.#life.rows.with({ maxStaleness: tolerance, ...soft }));
      }
      case 'grace': {
        const tolerance = random.pick([100, 600]);
        const soft = random.chance(0.4) ? { softTimeout: 15 } : {};
        return this.#provenance(call, row, { tolerance }, this.#life.rows.with({ grace: tolerance, ...soft }));
      }
      case 'shadow':
        return this.#provenance(call, row, {}, this.#life.rows.with({ mode: 'shadow' }));
      case 'read':
      case 'audit':
        return this.#provenance(call, row, {}, this.#life.rows);
      default:
        return call satisfies never;
    }
  }

  #provenance(call: ReadCall, row: number, wish: Partial<Wish>, query: Query<RowArguments, Value>): Promise<void> {
    return this.#note(call, [row], this.#life.site, wish, async (read) => {
      const { value, from, stale }: Provenance<Value> = await query.read(...this.#args(row, read));
      return { values: [value], from, stale };
    });
  }

  #getOrSet(row: number): Promise<void> {
    const { catalogue, random } = this.#world;
    const site = random.chance(0.5) ? 'tagged' : 'bare';
    const options = site === 'bare' ? undefined : { tags: catalogue.tags(row, site) };
    return this.#note('getOrSet', [row], site, {}, async () =>
      one(await this.#life.cache.getOrSet(this.#key(row), (ctx) => this.#life.loader.load(row, ctx, 1), options)),
    );
  }

  #many(): Promise<void> {
    const { random, plan } = this.#world;
    const rows = random.shuffled(Array.from({ length: plan.rows }, (_, row) => row)).slice(0, 3);
    return this.#note('many', rows, this.#life.site, {}, async (read) => ({
      values: await this.#life.rows.many(rows.map((row) => this.#args(row, read))),
      from: 'unknown',
      stale: false,
    }));
  }

  #consistent(): Promise<void> {
    const { random, plan } = this.#world;
    const rows = random
      .shuffled(Array.from({ length: plan.rows }, (_, row) => row))
      .slice(0, random.chance(0.7) ? 2 : 3);
    return this.#note('consistent', rows, this.#life.site, {}, async (read) => {
      const requests = rows.map((row) => this.#life.rows.request(...this.#args(row, read)));
      return { values: await this.#life.cache.consistent(requests, { timeout: 1_500 }), from: 'unknown', stale: false };
    });
  }

  /** As whoever uses a Keyv reads through it. Loads of one key are not shared, and one that is given up sets all the same. */
  async #wrapped(row: number): Promise<Value> {
    const { keyv, loader, clock } = this.#life;
    const name = this.#world.catalogue.id(row);
    const found = await keyv.get<Value>(name);
    if (found !== undefined) return found as Value;
    const loading = loader.load(row, NO_CONTEXT, 1).then(async (value) => {
      await keyv.set(name, value);
      return value;
    });
    const { loadTimeout } = this.#world.plan.profile;
    return within(clock, loadTimeout, loading, () => new TidemarkError('LOAD_TIMEOUT', 'the loader hangs'));
  }

  #peek(row: number): void {
    const { history, counts } = this.#world;
    const read = this.#asked('peek', [row], this.#life.site, {});
    const value = this.#life.rows.peek(...this.#args(row, read));
    history.add({ type: 'answered', read, values: [value], from: 'memory', stale: false });
    counts.add('read', value === undefined ? 'peek: nothing' : 'peek: memory');
  }

  async #note(
    call: ReadCall,
    rows: readonly number[],
    site: Site,
    wish: Partial<Wish>,
    work: (read: number) => Promise<Brought>,
  ): Promise<void> {
    const { history, counts } = this.#world;
    const read = this.#asked(call, rows, site, wish);
    this.#life.unsettled.add(read);
    try {
      const brought = await work(read);
      history.add({ type: 'answered', read, ...brought });
      counts.add('read', `${call}: ${brought.from}`);
      this.#count(brought);
    } catch (error) {
      const { code, load } = describeFailure(error);
      history.add({ type: 'failed', read, code, load, text: String(error) });
      counts.add('read', `${call}: failed (${load === undefined ? code : 'loader'})`);
    }
    this.#life.unsettled.delete(read);
  }

  /** What is given while nothing is loaded, and what stands in. */
  #count({ values, from }: Brought): void {
    const { counts } = this.#world;
    const { breaker } = this.#life;
    if (breaker !== undefined && breaker.state !== 'closed') counts.add('while refused', from);
    for (const value of values) if (value?.fallback !== undefined) counts.add('fallback', from);
  }

  #asked(call: ReadCall, rows: readonly number[], site: Site, wish: Partial<Wish>): number {
    const { history, catalogue, numbers, plan } = this.#world;
    const read = ++numbers.read;
    const cells = rows.map((row) => catalogue.cell(row, site));
    history.add({
      type: 'asked',
      read,
      node: this.#life.node,
      life: this.#life.number,
      cells,
      // Whoever reads by the key alone reads what has no version.
      ...(this.#life.release === 1 || call === 'getOrSet' || call === 'get' || call === 'keyv'
        ? {}
        : { shape: this.#life.release }),
      ...(this.#life.fallsBack && !WITHOUT_FALLBACK.has(call) ? { fallback: true } : {}),
      wish: {
        ...{ call, tolerance: 0, detached: plan.serveDetached, write: undefined },
        ...(this.#session.length > 0 ? { session: [...this.#session] } : {}),
        ...wish,
      },
    });
    return read;
  }

  #args(row: number, read: number): RowArguments {
    return this.#life.args(this.#world, row, read);
  }

  #key(row: number): string {
    return this.#world.catalogue.key(row);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#life.clock.schedule(ms, resolve));
  }
}

/** Calls that are not the query's, or give nothing in place of an error. */
const WITHOUT_FALLBACK: ReadonlySet<ReadCall> = new Set(['getOrSet', 'get', 'peek', 'keyv', 'consistent']);

/** Outside of the cache's own loads nothing is known of a replica. */
const NO_CONTEXT = { lsn: 'unknown', tag: () => {}, skip: () => {} } as unknown as LoadContext;

function one(value: Value | undefined): Brought {
  return { values: [value], from: 'unknown', stale: false };
}
