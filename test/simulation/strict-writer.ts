import type { StrictWrite } from '../../src/cache/strict-write.ts';
import type { Receipt } from '../../src/coherence/receipt.ts';
import { announcedBy } from '../../src/coherence/record.ts';
import { describeTarget, type Target } from '../../src/coherence/target.ts';
import type { Life } from './member.ts';
import type { World } from './world.ts';

/** What a writer learns of its COMMIT. */
type Outcome = 'committed' | 'unknown';

/** Changes rows in transactions that are announced before they commit. */
export class StrictWriter {
  readonly #world: World;
  readonly #life: Life;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  /** One transaction; the receipt of its commit, if it had one. */
  async write(write: number, rows: readonly number[], targets: readonly Target[]): Promise<Receipt | undefined> {
    const { random, database, counts, plan, history, catalogue } = this.#world;
    const { cache, node, number } = this.#life;
    const id = Array.from({ length: 4 }, () => random.bits().toString(16).padStart(8, '0')).join('');
    database.begin(id, number);
    let strict: StrictWrite;
    try {
      strict = await cache.announce(targets, { id, timeout: plan.profile.announceTimeout });
    } catch (error) {
      database.abort(id);
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'ERROR';
      history.add({ type: 'refused', write, node, code, text: String(error) });
      counts.add('strict', `announce: ${code}`);
      return undefined;
    }
    const cells = catalogue.covered({ kind: 'announce', ...announcedBy(targets) });
    const epoch = cache.mark().split('.')[1] ?? '';
    history.add({ type: 'announced', write, node, life: number, epoch, cells });
    if (random.chance(plan.profile.rollbacks)) return this.#rollBack(id, strict);
    if ((await this.#commit(id, write, rows)) === 'unknown') {
      counts.add('strict', 'outcome unknown');
      strict.unknown();
      return undefined;
    }
    return this.#committed(write, targets, strict);
  }

  async #rollBack(id: string, strict: StrictWrite): Promise<undefined> {
    const { database, counts, latencies } = this.#world;
    database.abort(id);
    await this.#return(latencies.commitReturns.draw());
    await strict.rolledBack();
    counts.add('strict', 'rolled back');
  }

  /** The database carries it out at any time from now on, whatever becomes of the writer; or its connection is lost before. */
  #commit(id: string, write: number, rows: readonly number[]): Promise<Outcome> {
    const { database, history, scheduler, latencies, random, plan } = this.#world;
    const lost = random.chance(plan.profile.commitsLost);
    const takes = latencies.commitTakes.draw();
    database.prepare(id);
    scheduler.after(takes, () => {
      if (lost && random.chance(0.5)) return database.abort(id);
      const commit = database.commit(rows, id);
      history.add({ type: 'commit', write, rows: commit.rows, versions: commit.versions });
    });
    const answered = (lost ? random.between(0, 2) * takes : takes) + latencies.commitReturns.draw();
    return this.#return(answered).then(() => (lost ? 'unknown' : 'committed'));
  }

  async #committed(write: number, targets: readonly Target[], strict: StrictWrite): Promise<Receipt> {
    const { history, database, catalogue, plan, counts, random } = this.#world;
    const { node } = this.#life;
    history.add({
      type: 'called',
      write,
      node,
      targets: targets.map(describeTarget).join(', '),
      cells: catalogue.covered({ kind: 'close', ...announcedBy(targets) }),
      versions: database.versions(),
    });
    const lsnMark = this.#life.cache.mark();
    const lsn = random.chance(0.9) ? BigInt(database.lsn) : 'unknown';
    const receipt = await strict.committed(plan.replicaReads ? { lsn, lsnMark } : {});
    const known = receipt.strict === true;
    history.add({ type: 'acknowledged', write, node, status: receipt.status, everywhere: false, strict: known });
    counts.add('receipt', receipt.status);
    counts.add('strict', known ? 'returned' : 'returned, not strict');
    return receipt;
  }

  #return(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, () => this.#life.clock.deliver(resolve)));
  }
}
