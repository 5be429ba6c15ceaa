import type { Unsubscribe } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import type { ClusterServers, Commands, Driver } from './connection.ts';
import { type RedisKeys, redisKeys } from './keys.ts';
import { Link, type LinkParts } from './link.ts';
import { LinkedCommands } from './linked-commands.ts';
import { LogScripts } from './log-scripts.ts';
import { RollCall } from './roll-call.ts';

/**
 * What the parts of one cache share on a server: the connections, the scripts, this node's place in the fleet. Made as
 * parts ask for it, and ended when the last of them is closed.
 */
export class Backend {
  readonly keys: RedisKeys;
  readonly scripts: LogScripts;
  readonly rollCall: RollCall;
  readonly #driver: Driver;
  readonly #context: PartContext;
  readonly #timeout: number;
  #data: Link | undefined;
  #values: Commands | undefined;
  #tools: Link | undefined;
  readonly #links = new Set<Link>();
  readonly #listeners = new Set<() => void>();
  #users = 0;

  constructor(driver: Driver, context: PartContext, timeout: number) {
    this.keys = redisKeys(context.name);
    this.scripts = new LogScripts(this.keys, context.logOptions, context.random);
    this.rollCall = new RollCall();
    this.#driver = driver;
    this.#context = context;
    this.#timeout = timeout;
  }

  /** The connection for what the log is asked without waiting for records. */
  get data(): Link {
    this.#data ??= this.link();
    return this.#data;
  }

  /** Commands for values and leases. */
  get values(): Commands {
    this.#values ??= this.#driver.spread(this.#timeout) ?? new LinkedCommands(this.link());
    return this.#values;
  }

  /** The connection for what people and tools ask, on the server of the log: nobody who reads or writes waits behind it. */
  get tools(): Link {
    this.#tools ??= this.link();
    return this.#tools;
  }

  /** The servers of a Cluster, see {@link Driver}. */
  get servers(): ClusterServers | undefined {
    return this.#driver.servers;
  }

  /** Another connection to the server of the log. */
  link(): Link {
    const link = this.linkTo((ms) => this.#driver.connect(this.keys.log, ms));
    this.#links.add(link);
    return link;
  }

  /** One to another server, for whoever ends it. */
  linkTo(open: LinkParts['open']): Link {
    const { clock, random } = this.#context;
    return new Link({ open, clock, random, timeout: this.#timeout, connected: () => this.#connected() });
  }

  /** Calls `listener` whenever a connection was made. */
  onConnected(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #connected(): void {
    for (const link of this.#links) link.hurry();
    for (const listener of this.#listeners) listener();
  }

  /**
   * Counts a part that will be closed.
   *
   * @returns what it calls then: the last one ends what is shared
   */
  use(): () => void {
    this.#users++;
    let used = true;
    return () => {
      if (used) this.#users--;
      used = false;
      if (this.#users > 0) return;
      this.#data?.close();
      this.#values?.close();
      this.#tools?.close();
      this.#driver.close();
    };
  }
}
