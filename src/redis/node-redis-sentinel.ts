import { answering, ClientConnection } from './client-connection.ts';
import type { Connection, Driver, Reply } from './connection.ts';
import { byteReplies, ownReplies } from './node-redis.ts';

/** What is used of a client made by `createSentinel` of node-redis. */
export interface NodeRedisSentinel {
  duplicate(overrides: object): NodeRedisSentinel;
  connect(): Promise<unknown>;
  sendCommand(isReadonly: boolean, args: readonly (string | Buffer)[], options: object): Promise<Reply>;
  destroy(): Promise<unknown>;
  on(event: string, listener: (event: { readonly type?: string } | undefined) => void): unknown;
}

/** One client of the primary, for us alone; a command is not sent a second time. */
const own = {
  ...ownReplies,
  masterPoolSize: 1,
  replicaPoolSize: 0,
  reserveClient: true,
  maxCommandRediscovers: 0,
  scanInterval: 0,
};

/** node-redis over the primary that Sentinels name. */
export function nodeRedisSentinelDriver(client: NodeRedisSentinel): Driver {
  return { connect: (_key, timeout) => open(client, timeout), spread: () => undefined, close: () => {} };
}

function open(template: NodeRedisSentinel, timeout: number): Promise<Connection> {
  const client = template.duplicate(own);
  const connection = new ClientConnection({
    send: (args) => client.sendCommand(false, args, byteReplies),
    end: () => void client.destroy().catch(() => {}),
  });
  let ready = false;
  const elsewhere = (event: { readonly type?: string } | undefined): void => {
    // The driver would go on with the next primary; whoever uses this connection has to know that it is another one.
    if (ready && event?.type?.startsWith('MASTER')) connection.lost(event);
  };
  client.on('error', () => {});
  client.on('client-error', elsewhere);
  client.on('topology-change', elsewhere);
  const opening = async (): Promise<void> => {
    await client.connect();
    ready = true;
  };
  return answering(connection, opening, timeout);
}
