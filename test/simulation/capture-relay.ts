import { capture } from '../../src/postgres/capture.ts';
import type { CaptureStatus } from '../../src/postgres/capture-progress.ts';
import { Leader } from '../../src/postgres/leader.ts';
import type { CaptureTables } from '../../src/postgres/mapping.ts';
import type { LogSender } from '../../src/postgres/sender.ts';
import type { Source } from '../../src/postgres/source.ts';
import { DatabaseClient } from './database-client.ts';
import { SLOT } from './database-server.ts';
import { RelayProcess } from './relay-process.ts';
import { unguarded } from './unguarded-sender.ts';
import type { World } from './world.ts';

/**
 * Captures what changes in the database: the library's own leader and capture, over this world's log and database. One of several is
 * active.
 */
export class CaptureRelay {
  readonly process: RelayProcess;
  readonly client: DatabaseClient;
  readonly #world: World;
  readonly #source: Source;
  #sender: LogSender | undefined;

  /** @param node how the deployment knows it: beyond the numbers of the caches */
  constructor(world: World, node: number) {
    const { scheduler, random, latencies, outer, counts, plan, server } = world;
    this.#world = world;
    this.process = new RelayProcess(world, node, 'capture', !outer.has('captureProven'));
    const { clock, context, reading } = this.process;
    this.client = new DatabaseClient(server, { scheduler, random: random.fork(), clock, latency: latencies.statement });
    const emit = (event: { readonly type: string }): void => counts.add('capture', event.type);
    const make = capture({
      ...(plan.mapped ? { tables: mapping(world) } : {}),
      ...{ slot: SLOT, recreate: plan.recreate ? 'automatic' : 'manual' },
    });
    this.#source = make({ database: this.client, context, schema: SLOT, emit });
    const leader = new Leader({
      ...{ database: this.client, context, key: 'tidemark shop' },
      hooks: {
        elected: () => this.#begin(),
        deposed: () => this.#end(),
        failed: () => counts.add('capture', 'leader failed'),
      },
    });
    reading.start();
    leader.start();
  }

  /** Everything that was in the database's log before this moment is in the caches' log, as this relay says. */
  get caughtUpTo(): number | undefined {
    const { lagMs } = this.#source.status() as CaptureStatus;
    return lagMs === undefined ? undefined : this.#world.scheduler.now - lagMs;
  }

  kill(noticed: boolean): void {
    this.process.kill(noticed);
    for (const link of this.client.links) link.cut({ client: false, server: noticed });
  }

  async #begin(): Promise<void> {
    this.#world.counts.add('capture', 'elected');
    this.#sender = this.process.sender();
    await this.#source.start(unguarded(this.#sender, this.#world.outer), NO_SESSION);
  }

  async #end(): Promise<void> {
    this.#sender?.stop();
    await this.#source.stop();
  }
}

/** What is said of a row that has changed. */
function mapping({ catalogue, plan }: World): CaptureTables {
  return { rows: { columns: ['id'], targets: ({ id }) => catalogue.target(plan.mapping, Number(id), 0) } };
}

/** Capture asks by a session of its own. */
const NO_SESSION = {
  query: () => Promise.reject(new Error('not asked')),
  listen: () => Promise.reject(new Error('not asked')),
  onEnded: () => {},
  end: () => {},
};
