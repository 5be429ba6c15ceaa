import { coverageOf } from '../../src/coherence/record.ts';
import type { World } from './world.ts';

/** Someone who changes rows and knows nothing of caches: psql, a job, another language. What they change is captured, or nobody hears of it. */
export class ForeignWriter {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Writes again and again, until the fleet is no longer busy. */
  start(): void {
    const { scheduler, latencies } = this.#world;
    scheduler.after(latencies.writeThink.draw(), () => {
      if (!this.#world.busy) return;
      this.#write();
      this.start();
    });
  }

  /** A transaction: it has an id from its first statement on, and commits later, if it does. */
  #write(): void {
    const { random, scheduler, latencies, server, database, plan } = this.#world;
    if (!server.up) return;
    const xid = database.ids.begin();
    const { life } = server;
    const free = Array.from({ length: plan.rows }, (_, row) => row).filter((row) => !server.locked.has(row));
    const rows = random.shuffled(free).slice(0, random.below(2) + 1);
    for (const row of rows) server.locked.add(row);
    scheduler.after(latencies.commitTakes.draw(), () => {
      // A crash rolls back what has not committed.
      if (life === server.life && !random.chance(plan.profile.rollbacks)) return this.#commit(xid, rows);
      database.ids.end(xid);
      for (const row of rows) server.locked.delete(row);
    });
  }

  #commit(xid: bigint, rows: readonly number[]): void {
    const { server, database, latencies, history, numbers, counts } = this.#world;
    const write = ++numbers.write;
    const commit = database.write(xid, rows);
    history.add({ type: 'logged', write, rows: commit.rows, versions: commit.versions });
    counts.add('capture', 'foreign write');
    server.carryOut(commit, latencies.commitShows.draw(), () => {
      for (const row of rows) server.locked.delete(row);
      history.add({ type: 'commit', write, rows: commit.rows, versions: commit.versions });
      history.add({ type: 'kept', write, by: 'capture', cells: this.#cells(rows), versions: database.versions() });
    });
  }

  /** What the mapping says of these rows. */
  #cells(rows: readonly number[]): readonly number[] {
    const { catalogue, plan } = this.#world;
    return catalogue.covered(coverageOf(rows.map((row) => catalogue.target(plan.mapping, row, 0))));
  }
}
