import type { LogOptions } from '../../src/coherence/log.ts';
import type { Draft } from '../../src/coherence/record.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';
import { type Effect, Keyspace } from './keyspace.ts';
import type { Latency } from './latency.ts';
import { LogServer } from './log-server.ts';
import type { OuterGuard } from './server-guards.ts';

export interface DeploymentParts {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly options: LogOptions;
  readonly removed: ReadonlySet<OuterGuard>;
  /** Length that the stream is trimmed to. */
  readonly kept: number;
  /** The first is the primary, the others follow it. */
  readonly servers: number;
  /** The servers' wall clock, in ms ahead of virtual time. */
  readonly clock: number;
  /** From the primary to its replica. */
  readonly latency: Latency;
  readonly appended: (server: string, sole: boolean, epoch: string, draft: Draft, number: number) => void;
}

/** From a primary to one of its replicas; another one after each change of roles. */
interface Link {
  readonly from: LogServer;
  readonly to: LogServer;
  last: number;
  intact: boolean;
}

const APART = 0.001;

/** The servers that keep the log: who is primary, who follows, and whom a new connection reaches. */
export class Deployment {
  readonly servers: readonly LogServer[];
  /** The primary that everybody reaches who is not isolated. */
  main: LogServer;
  /** Nodes that still reach an old primary. */
  readonly isolated: Set<number> = new Set();
  /** The old primary that they reach. */
  old: LogServer | undefined;
  /** Nobody reaches the log. */
  closed = false;
  readonly #parts: DeploymentParts;
  /** By replica. */
  readonly #links = new Map<LogServer, Link>();

  constructor(parts: DeploymentParts) {
    this.#parts = parts;
    this.servers = Array.from({ length: parts.servers }, (_, i) => this.#server('ABC'.charAt(i)));
    this.main = this.servers[0] as LogServer;
    for (const replica of this.others()) this.attach(replica, this.main);
  }

  /** All servers but the primary; the most advanced first, as who looks for a successor wants them. */
  others(): LogServer[] {
    return this.servers.filter((server) => server !== this.main).sort((a, b) => b.offset - a.offset);
  }

  /** Where a new connection of a node leads. Who looks for the primary sometimes finds a server that is none any more. */
  route(node: number): LogServer | undefined {
    const { random } = this.#parts;
    if (this.closed) return undefined;
    if (this.isolated.has(node)) return this.old;
    if (!random.chance(0.05)) return this.main;
    return random.pick(this.servers.filter((server) => server.up && server !== this.old));
  }

  /** `replica` copies everything from `primary` and follows it from now on. */
  attach(replica: LogServer, primary: LogServer): void {
    this.detach(replica);
    replica.follow(primary);
    const link: Link = { from: primary, to: replica, last: 0, intact: true };
    this.#links.set(replica, link);
    this.#acknowledge(link, primary.offset);
  }

  /** A replica is cut off: what is on its way to it is lost. */
  detach(replica: LogServer): void {
    const link = this.#links.get(replica);
    if (link !== undefined) link.intact = false;
    this.#links.delete(replica);
  }

  /** A server becomes the primary. */
  promote(server: LogServer, clock: number): void {
    this.detach(server);
    server.promote();
    server.clock = clock;
    this.main = server;
  }

  #server(name: string): LogServer {
    const { scheduler, random, options, removed, kept, clock, appended } = this.#parts;
    const server = new LogServer(
      {
        name,
        scheduler,
        random,
        options,
        removed,
        replicate: (from, effect, offset) => this.#replicate(from, effect, offset),
        appended: (it, draft, number) => appended(name, it === this.main, it.keys.state?.epoch ?? '', draft, number),
      },
      new Keyspace(options, kept),
      'history',
    );
    server.clock = clock;
    return server;
  }

  #replicate(from: LogServer, effect: Effect, offset: number): void {
    for (const link of this.#links.values()) if (link.from === from) this.#send(link, effect, offset);
  }

  #send(link: Link, effect: Effect, offset: number): void {
    const { scheduler, latency } = this.#parts;
    link.last = Math.max(link.last + APART, scheduler.now + latency.draw());
    scheduler.at(link.last, () => {
      if (!link.intact || !link.to.up) return;
      link.to.keys.apply(effect);
      link.to.offset = offset;
      this.#acknowledge(link, offset);
    });
  }

  #acknowledge(link: Link, offset: number): void {
    const { scheduler, latency } = this.#parts;
    scheduler.after(latency.draw(), () => {
      if (link.intact && link.from.up) link.from.confirm(offset);
    });
  }
}
