/** An argument of a command. Numbers are written as texts by whoever calls. */
export type Argument = string | Uint8Array;

/**
 * What a command was answered, the same with every driver: bulk strings are `Buffer`s, integers numbers, nothing is
 * `null`. Status replies may be texts or `Buffer`s, and a map (RESP3) is an object, a `Map` or a flat list: `reply.ts`
 * reads them all. A reply that is an error rejects instead.
 */
export type Reply = number | string | Uint8Array | null | readonly Reply[] | ReadonlyMap<unknown, Reply> | object;

/**
 * One connection to one server, of our own: nobody else's commands are between ours.
 *
 * Commands are sent in the order of the calls, at once, and answered in that order. It does not reconnect, queues nothing
 * while it is not connected, and has no deadlines: {@link Link} does that.
 */
export interface Connection {
  /** Rejects with the server's error (`Error` with the server's text as its message), or when the connection is lost. */
  send(args: readonly Argument[]): Promise<Reply>;
  /** Whether it was lost or closed. */
  readonly closed: boolean;
  /** Calls `listener` once, when the connection is lost or closed; at once if it already is. */
  onClose(listener: (cause?: unknown) => void): void;
  /** Ends it at once; what is under way rejects. Never throws, and may be called again. */
  close(): void;
}

/**
 * Commands for values and leases, which a Cluster spreads over its servers by their keys.
 *
 * It reconnects by itself, queues nothing while it cannot send, and a call that is not answered in time rejects and makes
 * the following ones fail at once until the server answers again: a dead server is waited for once.
 */
export interface Commands {
  /**
   * Whether keys of different slots must not be named in one command. Reading it needs no connection, but means something
   * only once a command was answered.
   */
  readonly spread: boolean;
  /** @param key what decides about the server: the first key of the command */
  send(key: string, args: readonly Argument[]): Promise<Reply>;
  /**
   * Commands about any keys, as one piece of work with one deadline; only where one server has all keys. Rejects where every one of
   * them has failed.
   *
   * @returns for each, in order, `undefined`, or the error that it was answered with
   */
  sendAll?(commands: readonly (readonly Argument[])[]): Promise<readonly (Error | undefined)[]>;
  close(): void;
}

/** The primaries of a Cluster, each by a name that says where it is. */
export interface ClusterServers {
  list(timeout: number): Promise<readonly string[]>;
  /** As {@link Driver.connect}. @param server as it was listed; it may have left since */
  connect(server: string, timeout: number): Promise<Connection>;
}

/** How one driver reaches one deployment: standalone, Sentinel or Cluster. */
export interface Driver {
  /**
   * A new connection to the primary that has the slot of `key`. One attempt: rejects when it fails, or is not there in
   * `timeout` ms. The error event of a socket never ends the process.
   */
  connect(key: string, timeout: number): Promise<Connection>;
  /** Commands over the servers of a Cluster; `undefined` where one server has all keys, which a {@link Link} serves. */
  spread(timeout: number): Commands | undefined;
  /** For tools that look at all keys; `undefined` where one server has them. */
  readonly servers?: ClusterServers | undefined;
  /** Ends what the driver itself has opened. A client that was handed in stays as it is. */
  close(): void;
}
