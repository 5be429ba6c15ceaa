import { Outbox } from '../../src/postgres/outbox.ts';
import { OutboxSession } from './outbox-session.ts';
import { RelayProcess } from './relay-process.ts';
import type { World } from './world.ts';

/** Gets what writers left in the outbox to the log: the library's own, over this world's log and database. */
export class OutboxRelay {
  readonly process: RelayProcess;

  /** @param node how the deployment knows it: beyond the numbers of the caches */
  constructor(world: World, node: number) {
    this.process = new RelayProcess(world, node, 'outbox', !world.outer.has('outboxProven'));
    const { clock, context, reading } = this.process;
    const sender = this.process.sender();
    const emit = (event: { readonly type: string }): void => world.counts.add('outbox', event.type);
    const outbox = new Outbox({ database: NOT_ASKED, context, schema: 'tidemark', emit }, reading, { poll: 300 });
    reading.start();
    outbox.start(sender, new OutboxSession(world, clock));
  }

  kill(noticed: boolean): void {
    this.process.kill(noticed);
  }
}

/** The outbox asks by its session alone. */
const NOT_ASKED = {
  embedded: true,
  replicate: undefined,
  session: () => Promise.reject(new Error('not asked')),
  query: () => Promise.reject(new Error('not asked')),
};
