import { Cache } from '../../src/cache/cache.ts';
import type { CacheEvent } from '../../src/cache/events.ts';
import { withContext } from '../../src/cache/load-context.ts';
import type { Query } from '../../src/cache/query.ts';
import type { Migrate } from '../../src/cache/version.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { CircuitBreaker } from '../../src/operations/breaker.ts';
import { KeyvTidemark } from '../../src/keyv/keyv-tidemark.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { QUERY, type Site } from './catalogue.ts';
import { Channel } from './channel.ts';
import type { Value } from './history.ts';
import { describeFailure, Loader } from './loader.ts';
import { loaderBreaker } from './loader-breaker.ts';
import { LogClient } from './log-client.ts';
import type { LogServer } from './log-server.ts';
import { BatchingValueClient, LeaseClient, ValueClient } from './value-client.ts';
import type { ValueServer } from './value-server.ts';
import type { World } from './world.ts';

/** Wall clocks of two machines differ by up to this, in ms. */
const SKEW = 5_000;

/** Of a row: its organisation, its id, and, where there is a fallback, whose read it is, which is no part of the key. */
export type RowArguments = [string, string, number?];

/** One process of the fleet in one of its lives: clock, connections, cache, and the query that its readers use. */
export class Life {
  readonly node: number;
  readonly number: number;
  readonly clock: VirtualClock;
  readonly data: Channel<LogServer>;
  readonly follower: Channel<LogServer>;
  readonly values: Channel<ValueServer>;
  readonly cache: Cache;
  readonly loader: Loader;
  readonly rows: Query<RowArguments, Value>;
  /** The site that the query's tags make it. */
  readonly site: Site;
  /** A Keyv over the same cache. */
  readonly keyv: KeyvTidemark;
  /** The version of the query that its release has. */
  readonly release: number;
  /** Around the loads of its query. */
  readonly breaker: CircuitBreaker | undefined;
  /** Whether its query has a fallback. */
  readonly fallsBack: boolean;
  /** Reads and invalidations that have not settled. */
  readonly unsettled: Set<number> = new Set();

  constructor(world: World, node: number, number: number) {
    const { random, scheduler, plan, deployment, latencies, removed, outer } = world;
    this.node = node;
    this.number = number;
    this.clock = new VirtualClock(scheduler, random.fork(), {
      wall: 1_700_000_000_000 + random.between(-SKEW, SKEW),
      lateness: () => (random.chance(0.1) ? random.between(0, 15) : 0),
    });
    const wires = { scheduler, random: random.fork(), clock: this.clock };
    const route = (): LogServer | undefined => deployment.route(node);
    this.data = new Channel({ ...wires, latency: latencies.log, route });
    this.follower = new Channel({
      ...wires,
      latency: node === 0 ? latencies.firstFollower : latencies.follower,
      route,
    });
    this.values = new Channel({ ...wires, latency: latencies.values, route: () => world.values });
    this.loader = new Loader(world, node, this.clock);
    this.site = random.chance(plan.profile.newer) ? 'newer' : 'typed';
    const release = plan.versions && random.chance(0.5) ? 2 : 1;
    this.release = release;
    const place = { node, life: number, clock: this.clock, values: this.values };
    this.breaker = plan.breakers ? loaderBreaker(world, place) : undefined;
    this.fallsBack = plan.breakers && random.chance(0.6);
    const { batches } = plan.profile;
    const Values = batches === 1 || random.chance(batches) ? BatchingValueClient : ValueClient;
    let client: LogClient | undefined;
    const log = {
      data: this.data,
      follower: this.follower,
      replicas: plan.replicas,
      maxLag: plan.maxLag,
      limit: plan.limit,
      removed: outer,
    };
    this.cache = new Cache(
      {
        name: 'shop',
        clock: this.clock,
        random: random.fork().next,
        log: (context) => (client ??= new LogClient(log, context)),
        ...(plan.check ? { check: (context) => (client ??= new LogClient(log, context)) } : {}),
        ...(plan.presence ? { presence: (context) => (client ??= new LogClient(log, context)) } : {}),
        ...(plan.strict ? { strict: true } : {}),
        ...(plan.store ? { store: new Values(this.values, world.counts) } : {}),
        ...(plan.lease ? { lease: new LeaseClient(this.values) } : {}),
        memory: plan.memory === 0 ? false : { maxEntries: plan.memory },
        slots: plan.slots,
        maxLag: plan.maxLag,
        patience: plan.patience,
        maxQueue: plan.maxQueue,
        requestTimeout: 200,
        compression: false,
        freeze: false,
        ...(plan.serveDetached > 0 ? { whenDetached: { serve: plan.serveDetached } } : {}),
        defaults: {
          ttl: plan.ttl,
          timeout: plan.profile.loadTimeout,
          jitter: plan.jitter,
          ...(plan.eager ? { eagerRefresh: 0.5 } : {}),
        },
      },
      removed,
    );
    this.cache.on((event) => observe(world, node, event));
    world.watch?.(this.cache);
    this.keyv = new KeyvTidemark({ cache: this.cache, clock: this.clock }, removed);
    const { catalogue } = world;
    const rowOf = (id: string): number => Number(id.slice(1));
    const standIn = (error: unknown, _organisation: string, id: string, read = 0): Value | Promise<Value> =>
      this.#standIn(world, error, rowOf(id), read);
    this.rows = this.cache.query({
      name: QUERY,
      ...(plan.versions ? { version: release, migrate: migrationsTo(release, random) } : {}),
      load: withContext((ctx, ...args: RowArguments) => {
        const loading = this.loader.load(rowOf(args[1]), ctx, release);
        return outer.has('fallbackOutside') ? loading.catch((error: unknown) => standIn(error, ...args)) : loading;
      }),
      loadMany: (args, contexts) =>
        this.loader.loadMany(
          args.map(([, id]) => rowOf(id)),
          contexts,
          release,
        ),
      equals: (cached, loaded) => cached.version === loaded.version,
      tags: (_organisation, id) => catalogue.tags(rowOf(id), this.site),
      ...(this.breaker === undefined ? {} : { breaker: this.breaker }),
      ...(this.fallsBack ? { fallback: standIn, key: (organisation: string, id: string) => [organisation, id] } : {}),
    });
  }

  /** The arguments of the query for a row. */
  args({ catalogue }: World, row: number, read: number): RowArguments {
    const [organisation, id] = [catalogue.organisation(row), catalogue.id(row)];
    return this.fallsBack ? [organisation, id, read] : [organisation, id];
  }

  /** What a reader is given in place of an error: at once, or later. */
  #standIn({ history, numbers, random }: World, error: unknown, row: number, read: number): Value | Promise<Value> {
    const fallback = ++numbers.fallback;
    history.add({ type: 'fallback', fallback, read, row, ...describeFailure(error) });
    const value = { row, version: -1, load: 0, fallback };
    if (random.chance(0.5)) return value;
    return new Promise((resolve) => this.clock.schedule(random.between(0, 60), () => resolve(value)));
  }

  /** Dies as by SIGKILL: nothing is sent, nothing is closed by itself. */
  kill(noticed: boolean): void {
    this.clock.kill();
    for (const channel of [this.data, this.follower, this.values]) channel.cut(noticed);
  }
}

/** From the other of the two versions; now and then it cannot be done. */
function migrationsTo(release: number, random: SeededRandom): Migrate<Value> {
  const lift = ({ row, version, load }: Value): Value | undefined => {
    if (random.chance(0.03)) throw new Error('not in this shape');
    if (random.chance(0.03)) return undefined;
    return release === 1 ? { row, version, load } : { row, version, load, shape: release };
  };
  return { [3 - release]: lift };
}

function observe({ history, counts }: World, node: number, event: CacheEvent): void {
  counts.add('event', event.type);
  switch (event.type) {
    case 'attached':
      return history.add({
        type: 'node',
        node,
        event: 'attached',
        text: `at ${event.position.number} of epoch ${event.position.epoch}`,
      });
    case 'detached':
      counts.add('detached while', event.state);
      return history.add({ type: 'node', node, event: 'detached', text: `${event.state}: ${causeText(event.cause)}` });
    case 'epoch':
      return history.add({
        type: 'node',
        node,
        event: 'epoch',
        text: `adopts ${event.epoch}, leaves ${event.before || 'none'}`,
      });
    case 'resync':
      counts.add('copied because', event.reason);
      return history.add({
        type: 'node',
        node,
        event: 'resync',
        text: `${event.reason}, now at ${event.position.number} of epoch ${event.position.epoch}`,
      });
    case 'queued':
      return history.add({
        type: 'node',
        node,
        event: 'queued',
        text: `${event.draft.targets?.join(', ') ?? ''}: ${causeText(event.cause)}`,
      });
    case 'sent':
      return history.add({
        type: 'node',
        node,
        event: 'sent',
        text: `${event.draft.targets?.join(', ') ?? ''} as ${event.position.number} of epoch ${event.position.epoch}`,
      });
    case 'applied':
      return history.add({
        type: 'node',
        node,
        event: 'applied',
        text: `${event.record.number} (${event.record.targets?.join(', ') ?? event.record.kind})`,
      });
    case 'overflowed':
      return history.add({ type: 'node', node, event: 'overflowed', text: `${event.dropped} drafts became one` });
    case 'stale':
      return counts.add('tolerated', event.why);
    case 'shadow':
      return counts.add('shadow', event.outcome);
    case 'miss':
      return counts.add('miss', event.reason);
    default:
      return;
  }
}

function causeText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
