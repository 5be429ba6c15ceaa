import type { Receipt } from '../../src/coherence/receipt.ts';
import { coverageOf } from '../../src/coherence/record.ts';
import { describeTarget, type Target } from '../../src/coherence/target.ts';
import { encodeDraft } from '../../src/coherence/wire.ts';
import type { Life } from './member.ts';
import type { World } from './world.ts';

/** Invalidates on behalf of a write, with a message id or without. */
type Invalidate = (write: number, targets: readonly Target[], id?: string) => Promise<Receipt>;

/** Changes rows in transactions that write down what they make stale, in a table or in the log, as `createTransactions` has them. */
export class OutboxWriter {
  readonly #world: World;
  readonly #life: Life;
  readonly #invalidate: Invalidate;
  readonly #carrier: 'outbox' | 'wal';

  constructor(world: World, life: Life, carrier: 'outbox' | 'wal', invalidate: Invalidate) {
    this.#world = world;
    this.#life = life;
    this.#carrier = carrier;
    this.#invalidate = invalidate;
  }

  /** One transaction. Its row has an id before it commits: others that commit earlier may have higher ones. */
  async write(write: number, rows: readonly number[], targets: readonly Target[]): Promise<Receipt> {
    const { random, scheduler, latencies, plan, outer, counts, database, numbers } = this.#world;
    const id = Array.from({ length: 4 }, () => random.bits().toString(16).padStart(8, '0')).join('');
    const row = this.#carrier === 'outbox' ? database.outbox.nextId() : undefined;
    const commit = (as: number): void => this.#commit(as, rows, targets, id, row);
    await this.#return(latencies.commitReturns.draw());
    if (random.chance(plan.profile.outboxLost)) {
      // The connection is lost, and the commit is carried out afterwards, or was before.
      const late = random.chance(0.5);
      if (!late) commit(write);
      // What was invalidated before it promises nothing of it.
      else scheduler.after(latencies.commitReturns.draw(), () => commit(++numbers.write));
      counts.add(this.#carrier, 'outcome unknown');
      return this.#invalidate(write, targets, outer.has('outboxOtherId') ? id : undefined);
    }
    commit(write);
    await this.#return(latencies.commitReturns.draw());
    return this.#invalidate(write, targets, id);
  }

  #commit(
    write: number,
    rows: readonly number[],
    targets: readonly Target[],
    id: string,
    row: number | undefined,
  ): void {
    const { database, history, catalogue, scheduler, counts } = this.#world;
    const coverage = coverageOf(targets);
    const about = { id, origin: 'transaction', lsn: 'unknown', time: 0, targets: targets.map(describeTarget) } as const;
    const message = encodeDraft({ ...coverage, ...about });
    const commit = database.commit(rows, undefined, row === undefined ? message : undefined);
    history.add({ type: 'commit', write, rows: commit.rows, versions: commit.versions });
    const by = row === undefined ? 'capture' : 'outbox';
    history.add({ type: 'kept', write, by, cells: catalogue.covered(coverage), versions: database.versions() });
    if (row !== undefined) database.outbox.insert({ id: row, message, writtenAt: scheduler.now });
    counts.add(this.#carrier, 'committed');
  }

  #return(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, () => this.#life.clock.deliver(resolve)));
  }
}
