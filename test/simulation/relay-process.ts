import type { PartContext } from '../../src/coherence/part.ts';
import { Stopwatch } from '../../src/coherence/stopwatch.ts';
import { RelayLog } from '../../src/postgres/relay-log.ts';
import { LogSender } from '../../src/postgres/sender.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Channel } from './channel.ts';
import { LogClient } from './log-client.ts';
import type { LogServer } from './log-server.ts';
import type { World } from './world.ts';

/** A process of a relay, with its clock and its connections to the log. */
export class RelayProcess {
  readonly clock: VirtualClock;
  readonly data: Channel<LogServer>;
  readonly follower: Channel<LogServer>;
  readonly context: PartContext;
  readonly reading: RelayLog;
  readonly #log: LogClient;

  /**
   * @param node how the deployment knows it: beyond the numbers of the caches
   * @param kind what its counts are kept under
   * @param proven whether it asks for the confirmation of the log's replicas; who does not takes an isolated primary for the log
   */
  constructor(world: World, node: number, kind: string, proven: boolean) {
    const { random, scheduler, plan, deployment, latencies, outer, counts } = world;
    this.clock = new VirtualClock(scheduler, random.fork(), {
      wall: 1_700_000_000_000,
      lateness: () => (random.chance(0.1) ? random.between(0, 15) : 0),
    });
    const wires = { scheduler, random: random.fork(), clock: this.clock };
    const route = (): LogServer | undefined => deployment.route(node);
    this.data = new Channel({ ...wires, latency: latencies.log, route });
    this.follower = new Channel({ ...wires, latency: latencies.follower, route });
    this.context = {
      name: 'shop',
      clock: this.clock,
      stopwatch: new Stopwatch(this.clock),
      random: random.fork().next,
      logger: undefined,
      logOptions: { slots: plan.slots, hashes: 3, maxLag: plan.maxLag, maxLife: plan.maxLife },
    };
    const { maxLag, limit } = plan;
    const replicas = proven ? plan.replicas : 0;
    const wired = { data: this.data, follower: this.follower, replicas, maxLag, limit, removed: outer };
    this.#log = new LogClient(wired, this.context);
    this.reading = new RelayLog(this.#log, this.context, {
      duplicate: () => counts.add(kind, 'duplicate'),
      failed: () => counts.add(kind, 'log failed'),
    });
  }

  /** For one term of this relay. */
  sender(): LogSender {
    const { context, reading } = this;
    return new LogSender({ log: this.#log, reading, context, origin: 'relay', failed: () => {} });
  }

  /** Dies as by SIGKILL. */
  kill(noticed: boolean): void {
    this.clock.kill();
    for (const channel of [this.data, this.follower]) channel.cut(noticed);
  }
}
