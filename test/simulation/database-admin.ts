import { makeSlot } from '../../src/postgres/slot-keeping.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { DatabaseClient } from './database-client.ts';
import { SLOT } from './database-server.ts';
import type { World } from './world.ts';

/** How long it takes somebody to notice that nothing is captured, in ms. */
const NOTICE: readonly [number, number] = [200, 900];

/** Who runs `tidemark postgres setup --recreate` when the slot is gone. */
export class DatabaseAdmin {
  readonly #world: World;
  readonly #client: DatabaseClient;

  constructor(world: World) {
    const { scheduler, random, latencies, server } = world;
    this.#world = world;
    const clock = new VirtualClock(scheduler, random.fork());
    this.#client = new DatabaseClient(server, {
      scheduler,
      random: random.fork(),
      clock,
      latency: latencies.statement,
    });
  }

  start(): void {
    const { scheduler, random } = this.#world;
    scheduler.after(random.between(...NOTICE), () => void this.#look().then(() => this.start()));
  }

  async #look(): Promise<void> {
    const { server, counts } = this.#world;
    if (!server.up || (server.slot !== undefined && server.slot.lost === undefined)) return;
    try {
      const session = await this.#client.session();
      await makeSlot(session, SLOT, SLOT);
      session.end();
      counts.add('capture', 'slot made by hand');
    } catch {
      // The connection was lost: somebody notices again.
    }
  }
}
