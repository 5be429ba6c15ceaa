import type { PartContext } from '../../src/coherence/part.ts';
import { Stopwatch } from '../../src/coherence/stopwatch.ts';
import { Outbox } from '../../src/postgres/outbox.ts';
import { RelayLog } from '../../src/postgres/relay-log.ts';
import { LogSender } from '../../src/postgres/sender.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Channel } from './channel.ts';
import { LogClient } from './log-client.ts';
import type { LogServer } from './log-server.ts';
import { OutboxSession } from './outbox-session.ts';
import type { World } from './world.ts';

/** A process that gets what writers left in the outbox to the log: the library's own, over this world's log and database. */
export class OutboxRelay {
  readonly clock: VirtualClock;
  readonly data: Channel<LogServer>;
  readonly follower: Channel<LogServer>;

  /** @param node how the deployment knows it: beyond the numbers of the caches */
  constructor(world: World, node: number) {
    const { random, scheduler, plan, deployment, latencies, outer } = world;
    this.clock = new VirtualClock(scheduler, random.fork(), {
      wall: 1_700_000_000_000,
      lateness: () => (random.chance(0.1) ? random.between(0, 15) : 0),
    });
    const wires = { scheduler, random: random.fork(), clock: this.clock };
    const route = (): LogServer | undefined => deployment.route(node);
    this.data = new Channel({ ...wires, latency: latencies.log, route });
    this.follower = new Channel({ ...wires, latency: latencies.follower, route });
    const context: PartContext = {
      name: 'shop',
      clock: this.clock,
      stopwatch: new Stopwatch(this.clock),
      random: random.fork().next,
      logger: undefined,
      logOptions: { slots: plan.slots, hashes: 3, maxLag: plan.maxLag, maxLife: plan.maxLife },
    };
    const log = new LogClient(
      {
        data: this.data,
        follower: this.follower,
        // One that does not ask for the replicas' confirmation takes an isolated primary for the log.
        replicas: outer.has('outboxProven') ? 0 : plan.replicas,
        maxLag: plan.maxLag,
        limit: plan.limit,
        removed: outer,
      },
      context,
    );
    const { counts } = world;
    const reading = new RelayLog(log, context, {
      duplicate: () => counts.add('outbox', 'duplicate'),
      failed: () => counts.add('outbox', 'log failed'),
    });
    const sender = new LogSender({ log, reading, context, origin: 'relay', failed: () => {} });
    const emit = (event: { readonly type: string }): void => counts.add('outbox', event.type);
    const outbox = new Outbox({ database: NOT_ASKED, context, schema: 'tidemark', emit }, reading, { poll: 300 });
    reading.start();
    outbox.start(sender, new OutboxSession(world, this.clock));
  }

  /** Dies as by SIGKILL. */
  kill(noticed: boolean): void {
    this.clock.kill();
    for (const channel of [this.data, this.follower]) channel.cut(noticed);
  }
}

/** The outbox asks by its session alone. */
const NOT_ASKED = {
  embedded: true,
  replicate: undefined,
  session: () => Promise.reject(new Error('not asked')),
  query: () => Promise.reject(new Error('not asked')),
};
