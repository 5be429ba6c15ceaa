import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Admin, createAdmin } from '../../src/admin/index.ts';
import { type Cache, createCache, type Query } from '../../src/index.ts';
import { createOperations, type Operations, type OperationsOptions } from '../../src/operations/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { UNHURRIED } from './unhurried.ts';

export const READER = 'reader-token-of-a-test';
export const OPERATOR = 'operator-token-of-a-test';

/** A node of the shop: it knows prices, by article, tied to who supplies them. */
interface ShopNode {
  readonly cache: Cache;
  readonly operations: Operations;
  readonly prices: Query<[id: number], number>;
}

/** A shop of two nodes on a Redis, one of them with its HTTP API. */
export interface Shop {
  readonly server: RedisServer;
  /** What the prices are, by article. Changing it here is changing it behind everybody's back. */
  readonly source: Map<number, number>;
  readonly nodes: readonly [ShopNode, ShopNode];
  /** Of the API of the first node. */
  readonly url: string;
  end(): Promise<void>;
}

export async function openShop(options: OperationsOptions = {}): Promise<Shop> {
  const server = await startRedis();
  const source = new Map([1, 2, 3, 4].map((id) => [id, id * 10]));
  const nodes = [shopNode(server, source, options), shopNode(server, source, options)] as const;
  await Promise.all(nodes.map(({ cache }) => cache.ready()));
  const reporting = async (): Promise<boolean> => {
    const { nodes: seen } = await nodes[0].operations.fleet();
    return seen.filter(({ status }) => status !== 'silent').length === nodes.length;
  };
  await waitUntil(reporting, { what: 'reports of both nodes' });
  const admin = createAdmin(nodes[0].operations, {
    access: { tokens: { reader: READER, operator: OPERATOR } },
    base: '/ops',
    rate: false,
  });
  const http = await listening(admin.listener);
  return {
    ...{ server, source, nodes, url: `${http.url}/ops` },
    end: async () => {
      await closed(admin, http.close);
      for (const { operations, cache } of nodes) {
        await operations.close();
        await cache.close();
      }
      await server.stop();
    },
  };
}

function shopNode({ url }: RedisServer, source: ReadonlyMap<number, number>, options: OperationsOptions): ShopNode {
  const cache = createCache({ name: 'shop', ...redis({ url }) });
  const prices = cache.query({
    name: 'price',
    load: (id: number) => Promise.resolve(source.get(id) ?? 0),
    tags: () => ['supplier:7'],
    ttl: '10m',
  });
  return {
    cache,
    prices,
    operations: createOperations(cache, { reportEvery: '500ms', health: UNHURRIED, ...options }),
  };
}

async function closed(admin: Admin, close: () => Promise<void>): Promise<void> {
  await admin.close();
  await close();
}

/** A server of Node's own on a free port. */
export async function listening(
  listener: RequestListener,
): Promise<{ readonly url: string; close: () => Promise<void> }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
