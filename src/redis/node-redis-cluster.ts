import { type ClusterClient, ClusterCommands } from './cluster-commands.ts';
import { slotOf } from './cluster-slot.ts';
import type { Connection, Driver, Reply } from './connection.ts';
import { byteReplies, type NodeRedis, openNodeRedis, ownReplies } from './node-redis.ts';

interface Node {
  readonly address: string;
}

/** What is used of a client made by `createCluster` of node-redis. */
export interface NodeRedisCluster {
  readonly masters: readonly Node[];
  /** By slot. */
  readonly slots: readonly ({ readonly master: Node } | undefined)[];
  duplicate(overrides: object): NodeRedisCluster;
  connect(): Promise<unknown>;
  nodeClient(node: Node): NodeRedis | Promise<NodeRedis>;
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: readonly (string | Buffer)[],
    options: object,
  ): Promise<Reply>;
  destroy(): void;
  on(event: string, listener: () => void): unknown;
}

/** node-redis over a Cluster. */
export function nodeRedisClusterDriver(client: NodeRedisCluster): Driver {
  return {
    connect: (key, timeout) => connectToOwner(client, key, timeout),
    spread: (timeout) => new ClusterCommands(() => clusterClient(client), timeout),
    servers: {
      list: (timeout) => looking(client, timeout, addressesOf, (addresses) => addresses),
      connect: (server, timeout) =>
        connectTo(client, timeout, (look) => look.masters.find(({ address }) => address === server)),
    },
    close: () => {},
  };
}

function duplicateOf(client: NodeRedisCluster): NodeRedisCluster {
  const duplicate = client.duplicate({ ...ownReplies, useReplicas: false, minimizeConnections: true });
  duplicate.on('error', () => {});
  return duplicate;
}

function end(client: NodeRedisCluster): void {
  try {
    client.destroy();
  } catch {
    // It throws when one of its connections has ended by itself.
  }
}

/**
 * A client that is ended while it connects goes on, and makes connections that nobody would end: it is ended again when its
 * attempt is over.
 */
function endAll(client: NodeRedisCluster, attempt: Promise<unknown>): void {
  end(client);
  const again = (): void => end(client);
  attempt.then(again, again);
}

function addressesOf(look: NodeRedisCluster): readonly string[] {
  return look.masters.map(({ address }) => address);
}

function connectToOwner(client: NodeRedisCluster, key: string, timeout: number): Promise<Connection> {
  return connectTo(client, timeout, (look) => look.slots[slotOf(key)]?.master);
}

function connectTo(
  client: NodeRedisCluster,
  timeout: number,
  find: (look: NodeRedisCluster) => Node | undefined,
): Promise<Connection> {
  const until = performance.now() + timeout;
  const clientOf = (look: NodeRedisCluster): NodeRedis | Promise<NodeRedis> => {
    const server = find(look);
    if (server === undefined) throw new Error('No server of the Redis Cluster has the slot of the log now.');
    return look.nodeClient(server);
  };
  return looking(client, timeout, clientOf, (found) => openNodeRedis(found, Math.max(1, until - performance.now())));
}

/**
 * Looks at the Cluster afresh: what another client knew may be from before a failover.
 *
 * @param find has to be done in time; `use` is given what it found, and keeps time itself
 */
async function looking<F, T>(
  client: NodeRedisCluster,
  timeout: number,
  find: (look: NodeRedisCluster) => F | Promise<F>,
  use: (found: F) => T | Promise<T>,
): Promise<T> {
  const look = duplicateOf(client);
  const finding = look.connect().then(() => find(look));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`No connection to the Redis Cluster within ${timeout} ms.`)), timeout);
  });
  try {
    return await use(await Promise.race([finding, late]));
  } finally {
    clearTimeout(timer);
    endAll(look, finding);
  }
}

function clusterClient(template: NodeRedisCluster): ClusterClient {
  const client = duplicateOf(template);
  const tried = client.connect().then(nothing, nothing);
  return {
    tried,
    send: (key, args) => client.sendCommand(key, false, args, byteReplies),
    serverOf: (key) => client.slots[slotOf(key)]?.master.address ?? '',
    close: () => endAll(client, tried),
  };
}

function nothing(): void {}
