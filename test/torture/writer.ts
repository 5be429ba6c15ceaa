import { coverageOf } from '../../src/coherence/record.ts';
import { describeTarget } from '../../src/coherence/target.ts';
import type { Receipt } from '../../src/index.ts';
import type { TargetKind } from '../simulation/catalogue.ts';
import type { Life } from './life.ts';
import type { Write } from './message.ts';
import { Reader } from './reader.ts';

const KINDS: readonly TargetKind[] = ['key', 'prefix', 'tag', 'extra', 'dynamic', 'pattern', 'everything'];
const WEIGHTS = [50, 4, 4, 15, 8, 18, 1];

/** Changes rows and invalidates what it changed, through one life's cache. */
export class Writer {
  readonly #life: Life;
  readonly #reader: Reader;

  constructor(life: Life) {
    this.#life = life;
    this.#reader = new Reader(life);
  }

  /** Writes again and again, with pauses, until the life is no longer busy. */
  async run(): Promise<void> {
    const { random, assignment } = this.#life;
    await this.#life.pause(200);
    while (this.#life.busy) {
      const times = random.chance(0.05) ? assignment.burst : 1;
      await Promise.all(Array.from({ length: times }, () => this.#write()));
      await this.#life.pause(200);
    }
  }

  /** Invalidates for a process that died before it could, as the relay of an outbox does. */
  async inherit(writes: readonly Write[]): Promise<void> {
    await Promise.all(writes.map((write) => this.#invalidate(write)));
  }

  /** One transaction, its invalidation, and a read of what was written: here, or elsewhere with the token. */
  async #write(): Promise<void> {
    const { random, assignment, office } = this.#life;
    this.#life.unsettled++;
    const first = random.below(assignment.rows - 1);
    const rows = random.chance(0.8) ? [first] : [first, first + 1];
    const aims = rows.map((row) => ({ row, kind: KINDS[random.weighted(WEIGHTS)] ?? 'key', draw: random.next() }));
    const write = await office.commit(rows, aims);
    const receipt = await this.#invalidate(write);
    this.#life.unsettled--;
    if (random.chance(0.5)) await this.#reader.read('read', first);
    else office.report({ type: 'token', write: write.write, row: first, token: receipt.token });
  }

  async #invalidate({ write, aims, versions }: Write): Promise<Receipt> {
    const { history, catalogue, assignment, random } = this.#life;
    const { node } = assignment;
    const targets = aims.map(({ kind, row, draw }) => catalogue.target(kind, row, draw));
    history.add({
      type: 'called',
      ...{ write, node, versions, targets: targets.map(describeTarget).join(', ') },
      cells: catalogue.covered(coverageOf(targets)),
    });
    const receipt = await this.#tell(
      aims.map(({ row }) => row),
      () => this.#life.cache.invalidate(targets, random.chance(0.1) ? { acknowledged: 'everywhere' } : {}),
    );
    history.add({ type: 'acknowledged', write, node, status: receipt.status, everywhere: receipt.everywhere === true });
    return receipt;
  }

  /** Does what the writer has the habit of. */
  async #tell(rows: readonly number[], invalidate: () => Promise<Receipt>): Promise<Receipt> {
    const { assignment, cache, catalogue } = this.#life;
    switch (assignment.habit) {
      case 'invalidate':
        return invalidate();
      case 'delete':
        await cache.ready();
        await this.#life.remove(rows.map((row) => catalogue.key(row)));
        return { status: 'applied', token: cache.mark() };
      case 'forget':
        // Before that there is no position to make a token of.
        await cache.ready();
        return { status: 'applied', token: cache.mark() };
      default:
        return assignment.habit satisfies never;
    }
  }
}
