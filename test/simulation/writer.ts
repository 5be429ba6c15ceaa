import type { Receipt } from '../../src/coherence/receipt.ts';
import { coverageOf } from '../../src/coherence/record.ts';
import { describeTarget, type Target } from '../../src/coherence/target.ts';
import { TARGET_KINDS } from './catalogue.ts';
import type { Commit } from './database.ts';
import type { Life } from './member.ts';
import { Reader } from './reader.ts';
import { OutboxWriter } from './outbox-writer.ts';
import { StrictWriter } from './strict-writer.ts';
import type { World } from './world.ts';

/** A write whose invalidation is under way. */
export interface Begun {
  readonly write: number;
  readonly rows: readonly number[];
  readonly receipt: Promise<Receipt>;
}

/** Changes rows and invalidates what it changed, through one life's cache. */
export class Writer {
  readonly #world: World;
  readonly #life: Life;
  readonly #reader: Reader;
  readonly #strict: StrictWriter;
  readonly #outbox: OutboxWriter;
  readonly #wal: OutboxWriter;
  readonly #elsewhere: () => Life | undefined;

  /** @param elsewhere another node that is up, to read there what was written here */
  constructor(world: World, life: Life, elsewhere: () => Life | undefined) {
    this.#world = world;
    this.#life = life;
    this.#reader = new Reader(world, life);
    this.#strict = new StrictWriter(world, life);
    const invalidate = this.#invalidate.bind(this);
    this.#outbox = new OutboxWriter(world, life, 'outbox', invalidate);
    this.#wal = new OutboxWriter(world, life, 'wal', invalidate);
    this.#elsewhere = elsewhere;
  }

  /**
   * One transaction whose invalidation is not waited for, as part of somebody's request.
   *
   * @returns its number, the rows, and the receipt to come
   */
  async begin(): Promise<Begun> {
    const { latencies, numbers } = this.#world;
    const write = ++numbers.write;
    const rows = this.#rows();
    this.#life.unsettled.add(-write);
    this.#commit(write, rows);
    await this.#return(latencies.commitReturns.draw());
    const receipt = this.#invalidate(write, this.#targets(rows));
    return { write, rows, receipt: receipt.finally(() => this.#life.unsettled.delete(-write)) };
  }

  /** Writes again and again, with pauses, until the fleet is no longer busy. */
  async run(): Promise<void> {
    const { plan, random, latencies } = this.#world;
    const { sets, bursts, burst } = plan.profile;
    for (;;) {
      await this.#pass(latencies.writeThink.draw());
      if (!this.#world.busy) return;
      if (random.chance(sets)) await this.#set(random.below(plan.rows));
      else if (random.chance(bursts))
        await Promise.all(
          Array.from({ length: burst[0] + random.below(burst[1] - burst[0] + 1) }, () => this.#write()),
        );
      else await this.#write();
    }
  }

  /** One transaction, of one row or several, and its invalidation. */
  async #write(): Promise<void> {
    const { random, plan, outer, latencies, numbers } = this.#world;
    const write = ++numbers.write;
    this.#life.unsettled.add(-write);
    const rows = this.#rows();
    const targets = this.#targets(rows);
    let receipt: Receipt | undefined;
    if (plan.strict && random.chance(plan.profile.strictWrites)) {
      receipt = await this.#strict.write(write, rows, targets);
    } else if (outer.has('writeOrder')) {
      receipt = await this.#invalidate(write, targets);
      await this.#pass(latencies.commitReturns.draw());
      this.#commit(write, rows);
    } else if (plan.capture && random.chance(plan.profile.walWrites)) {
      receipt = await this.#wal.write(write, rows, targets);
    } else if (plan.outbox) {
      receipt = await this.#outbox.write(write, rows, targets);
    } else {
      this.#commit(write, rows);
      await this.#return(latencies.commitReturns.draw());
      receipt = await this.#invalidate(write, targets);
    }
    this.#life.unsettled.delete(-write);
    if (receipt !== undefined) await this.#afterwards(write, receipt, rows);
  }

  #commit(write: number, rows: readonly number[]): Commit {
    const { database, history } = this.#world;
    const commit = database.commit(rows);
    history.add({ type: 'commit', write, rows: commit.rows, versions: commit.versions });
    return commit;
  }

  async #invalidate(write: number, targets: readonly Target[], id?: string): Promise<Receipt> {
    const { history, database, catalogue, plan, counts, random } = this.#world;
    history.add({
      type: 'called',
      write,
      node: this.#life.node,
      targets: targets.map(describeTarget).join(', '),
      cells: catalogue.covered(coverageOf(targets)),
      versions: database.versions(),
    });
    for (const target of targets) counts.add('target', target.kind);
    const lsnMark = this.#life.cache.mark();
    const lsn = random.chance(0.9) ? BigInt(database.lsn) : 'unknown';
    const everywhere = plan.presence && random.chance(plan.profile.everywhere);
    const receipt = await this.#life.cache.invalidate(targets, {
      ...(id === undefined ? {} : { id }),
      ...(plan.replicaReads ? { lsn, lsnMark } : {}),
      ...(everywhere ? { acknowledged: 'everywhere' } : {}),
    });
    const known = receipt.everywhere === true;
    history.add({ type: 'acknowledged', write, node: this.#life.node, status: receipt.status, everywhere: known });
    counts.add('receipt', receipt.status);
    if (everywhere) counts.add('everywhere', String(known));
    return receipt;
  }

  /** The writer reads what it wrote, or hands its token on. */
  async #afterwards(write: number, receipt: Receipt, rows: readonly number[]): Promise<void> {
    const { random, plan, tokens } = this.#world;
    const passed = { write, token: random.chance(0.5) ? receipt : receipt.token };
    tokens.push(passed);
    if (!random.chance(plan.profile.rereads)) return;
    const row = random.pick(rows);
    if (random.chance(0.5)) return this.#reader.read(random.pick(['read', 'getOrSet', 'query']), row);
    const other = this.#elsewhere();
    if (other !== undefined) await new Reader(this.#world, other).read('atLeast', row, passed);
  }

  #rows(): number[] {
    const { random, plan } = this.#world;
    const count = random.chance(0.7) ? 1 : 2;
    return random.shuffled(Array.from({ length: plan.rows }, (_, row) => row)).slice(0, count);
  }

  #targets(rows: readonly number[]): Target[] {
    const { random, plan, catalogue } = this.#world;
    const weights = TARGET_KINDS.map((kind) => plan.profile.targets[kind] ?? 0);
    const named = rows.map((row) =>
      catalogue.target(TARGET_KINDS[random.weighted(weights)] ?? 'key', row, random.next()),
    );
    return plan.keyv ? [...named, ...rows.map((row) => this.#life.keyv.at(catalogue.id(row)))] : named;
  }

  /** A value that the application reads itself and hands to the cache, under the mark it took before. */
  async #set(row: number): Promise<void> {
    const { catalogue, database, history, latencies, numbers, counts } = this.#world;
    const { cache } = this.#life;
    const load = ++numbers.load;
    history.add({ type: 'load', load, node: this.#life.node, row });
    // Loads and writes are numbered apart; halves are loads.
    this.#life.unsettled.add(load + 0.5);
    const mark = cache.mark();
    await this.#pass(latencies.loaderBefore.draw());
    const version = database.version(row);
    await this.#return(latencies.loaderAfter.draw());
    history.add({ type: 'loaded', load, version, source: 'set' });
    cache.set(
      catalogue.key(row),
      { row, version, load },
      { mark, tags: [...catalogue.tags(row, 'tagged'), catalogue.kind(row)] },
    );
    this.#life.unsettled.delete(load + 0.5);
    counts.add('read', 'set');
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#life.clock.schedule(ms, resolve));
  }

  #return(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, () => this.#life.clock.deliver(resolve)));
  }
}
