import { Redis } from 'ioredis';
import { Cache } from '../../src/cache/cache.ts';
import { type CacheEvent, type CacheOptions, type Query, withContext } from '../../src/index.ts';
import type { LoadContext } from '../../src/cache/load-context.ts';
import { redis } from '../../src/redis/index.ts';
import { redisKeys } from '../../src/redis/keys.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { Catalogue, QUERY, type Site } from '../simulation/catalogue.ts';
import { History, type Value } from '../simulation/history.ts';
import type { Assignment } from './message.ts';
import type { Office } from './office.ts';
import { sharedClock } from './shared-clock.ts';

/** More than a load takes, also in a process that is stopped meanwhile; and the time of a lease. */
const LONGEST_LOAD = '5s';

/** One process of the fleet in one of its lives: its cache, the query that its readers use, and what it remembers to tell. */
export class Life {
  readonly assignment: Assignment;
  readonly random: SeededRandom;
  readonly catalogue: Catalogue;
  readonly history: History;
  readonly now: () => number;
  readonly office: Office;
  readonly cache: Cache;
  readonly rows: Query<[string, string], Value>;
  /** The site that the query's tags make it. */
  readonly site: Site;
  /** Reads and invalidations that have not settled. */
  unsettled = 0;
  /** Whether readers and writers go on. */
  busy = true;

  constructor(assignment: Assignment, office: Office) {
    const { seed, origin, rows, name, url, maxLag, replicas, history, node, without } = assignment;
    this.assignment = assignment;
    this.office = office;
    this.random = new SeededRandom(seed);
    this.catalogue = new Catalogue(rows);
    this.now = sharedClock(BigInt(origin));
    this.history = new History(this.now);
    this.site = node % 2 === 0 ? 'typed' : 'newer';
    const options: CacheOptions = {
      ...{ name, maxLag, maxLife: '1m', slots: 2 ** 14, defaults: { timeout: LONGEST_LOAD } },
      ...redis({ url, replicas, history }),
    };
    this.cache = new Cache(options, new Set(without));
    this.cache.on((event) => this.#observe(event));
    this.rows = this.cache.query({
      name: QUERY,
      load: withContext((ctx, _organisation: string, id: string) => this.load(Number(id.slice(1)), ctx)),
      tags: (_organisation, id) => this.catalogue.tags(Number(id.slice(1)), this.site),
    });
  }

  /** The arguments of the query for a row. */
  args(row: number): [string, string] {
    return [this.catalogue.organisation(row), this.catalogue.id(row)];
  }

  /** Reads a row as applications do: some time before the snapshot is taken, and some after it. */
  async load(row: number, ctx: LoadContext): Promise<Value> {
    await this.dawdle();
    const { load, version } = await this.office.snapshot(row);
    await this.dawdle();
    ctx.tag(this.catalogue.kind(row));
    return { row, version, load };
  }

  /** Mostly some milliseconds, now and then long enough for everything to change meanwhile. */
  dawdle(): Promise<void> {
    return this.pause(this.random.chance(0.03) ? 250 : this.random.chance(0.3) ? 20 : 3);
  }

  /** A time of up to so many ms. */
  pause(most: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.random.between(0, most)));
  }

  /** Deletes values from the store by hand, as caches without a log do. */
  async remove(keys: readonly string[]): Promise<void> {
    const { name, url } = this.assignment;
    const client = new Redis(url);
    const names = redisKeys(name);
    await client.del(...keys.map((key) => names.value(key)));
    client.disconnect();
  }

  #observe(event: CacheEvent): void {
    const { node } = this.assignment;
    const tell = (text: string): void => this.history.add({ type: 'node', node, event: event.type, text });
    switch (event.type) {
      case 'attached':
        return tell(`at ${event.position.number} of epoch ${event.position.epoch}`);
      case 'detached':
        return tell(`${event.state}: ${event.cause instanceof Error ? event.cause.message : String(event.cause)}`);
      case 'epoch':
        return tell(`adopts ${event.epoch}, leaves ${event.before || 'none'}`);
      case 'resync':
        return tell(`${event.reason}, now at ${event.position.number} of epoch ${event.position.epoch}`);
      case 'queued':
        return tell(event.draft.targets?.join(', ') ?? '');
      case 'sent': {
        const { number, epoch } = event.position;
        const cells = this.catalogue.covered(event.draft);
        return this.office.report({ type: 'sent', at: this.now(), number, epoch, cells });
      }
      default:
        return;
    }
  }
}
