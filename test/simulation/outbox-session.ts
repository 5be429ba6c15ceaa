import type { Session } from '../../src/postgres/driver.ts';
import { formatLsn } from '../../src/postgres/lsn.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { World } from './world.ts';

type Rows = readonly Readonly<Record<string, unknown>>[];

/** One relay's connection to the database: the four statements that the outbox is read with. It ends with its process. */
export class OutboxSession implements Session {
  readonly #world: World;
  readonly #clock: VirtualClock;
  /** The highest id seen, for a relay that does not look below it. */
  #highest = 0;

  constructor(world: World, clock: VirtualClock) {
    this.#world = world;
    this.#clock = clock;
  }

  query(text: string, values: readonly unknown[] = []): Promise<Rows> {
    const { scheduler, latencies } = this.#world;
    return new Promise((resolve) => {
      scheduler.after(latencies.statement.draw(), () => {
        const rows = this.#execute(text, values);
        scheduler.after(latencies.statement.draw(), () => this.#clock.deliver(() => resolve(rows)));
      });
    });
  }

  /** Notifications are lost now and then. */
  listen(_channel: string, listener: () => void): Promise<void> {
    const { database, random, scheduler, latencies } = this.#world;
    database.outbox.onInsert(() => {
      if (random.chance(0.8)) scheduler.after(latencies.statement.draw(), () => this.#clock.deliver(listener));
    });
    return Promise.resolve();
  }

  onEnded(): void {}

  end(): void {}

  #execute(text: string, values: readonly unknown[]): Rows {
    const { database } = this.#world;
    if (text.startsWith('DELETE')) {
      const ids = String(values[0]).slice(1, -1).split(',').map(Number);
      database.outbox.delete(ids);
      return [];
    }
    if (text.includes('pg_current_wal_insert_lsn')) return [{ lsn: formatLsn(BigInt(database.lsn)) }];
    if (text.startsWith('SELECT log')) return [{ log: 'shop' }];
    return this.#rows();
  }

  #rows(): Rows {
    const { database, scheduler, outer } = this.#world;
    const all = database.outbox.rows();
    const rows = outer.has('outboxWhole') ? all.filter(({ id }) => id > this.#highest) : all;
    this.#highest = Math.max(this.#highest, ...rows.map(({ id }) => id));
    return rows.map(({ id, message, writtenAt }) => ({ id: String(id), message, age: scheduler.now - writtenAt }));
  }
}
