import { answering, ClientConnection } from './client-connection.ts';
import type { Connection, Driver, Reply } from './connection.ts';

/** What is used of a client of node-redis. */
export interface NodeRedis {
  readonly options: Readonly<Record<string, unknown>> | undefined;
  readonly isOpen: boolean;
  duplicate(overrides: object): NodeRedis;
  connect(): Promise<unknown>;
  sendCommand(args: readonly (string | Buffer)[], options: object): Promise<Reply>;
  destroy(): void;
  on(event: string, listener: (cause?: unknown) => void): unknown;
}

/** Bulk strings (`$`) as `Buffer`s; commands have no deadline here. */
export const byteReplies: {
  readonly typeMapping: Readonly<Record<number, typeof Buffer>>;
  readonly timeout: undefined;
} = { typeMapping: { 36: Buffer }, timeout: undefined };

/** What is no matter of one server: replies as RESP2 has them, names of keys as they are, nothing cached or watched. */
export const ownReplies = {
  RESP: 2,
  commandOptions: undefined,
  clientSideCache: undefined,
  keyPrefix: undefined,
  maintNotifications: 'disabled',
};

/** No queue and no second attempt; all else as the client has it. */
const own = { ...ownReplies, url: undefined, disableOfflineQueue: true, readonly: false, pingInterval: undefined };

/** node-redis over one server. */
export function nodeRedisDriver(client: NodeRedis): Driver {
  return { connect: (_key, timeout) => openNodeRedis(client, timeout), spread: () => undefined, close: () => {} };
}

/** Opens a duplicate that connects to where `template` does. */
export function openNodeRedis(template: NodeRedis, timeout: number): Promise<Connection> {
  const limits = { reconnectStrategy: false, connectTimeout: timeout, socketTimeout: undefined };
  const socket = { ...(template.options?.['socket'] as object | undefined), ...limits };
  const client = template.duplicate({ ...own, socket });
  const connection = new ClientConnection({
    send: (args) => client.sendCommand(args, byteReplies),
    end: () => client.destroy(),
  });
  client.on('error', (error) => connection.lost(error));
  client.on('end', () => connection.lost(undefined));
  return answering(connection, () => client.connect(), timeout);
}
