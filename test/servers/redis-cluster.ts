import { waitUntil } from '../../src/testing/wait-until.ts';
import { ask } from './redis-ask.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** A Cluster of three primaries, the slots in three equal parts, and of replicas where wanted. */
export interface RedisCluster {
  readonly primaries: readonly RedisServer[];
  /** One of each primary, in their order; empty without `replicas`. */
  readonly replicas: readonly RedisServer[];
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;

/** Starts it and resolves when all of it agrees. */
export async function startCluster({ replicas = false } = {}): Promise<RedisCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-replica-validity-factor', '0'];
  const servers = await Promise.all(Array.from({ length: replicas ? 6 : 3 }, () => startRedis({ args })));
  const stop = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.stop())));
  try {
    await join(servers);
  } catch (error) {
    await stop();
    throw error;
  }
  const [primaries, followers] = [servers.slice(0, 3), servers.slice(3)];
  return { primaries, replicas: followers, ports: servers.map(({ port }) => port), stop };
}

async function join(servers: readonly RedisServer[]): Promise<void> {
  const [first] = servers as [RedisServer];
  const edge = (part: number): number => Math.floor((SLOTS * part) / 3);
  for (const [i, { port }] of servers.entries()) {
    // Different epochs from the start: nobody has to find out who is newer.
    await ask(port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
    if (i < 3) await ask(port, 'CLUSTER', 'ADDSLOTSRANGE', String(edge(i)), String(edge(i + 1) - 1));
    if (i > 0) await ask(port, 'CLUSTER', 'MEET', '127.0.0.1', String(first.port));
  }
  const patient = { timeout: 20_000, every: 20 };
  const agreed = async ({ port }: RedisServer): Promise<boolean> =>
    String(await ask(port, 'CLUSTER', 'INFO')).includes(`cluster_known_nodes:${servers.length}`);
  for (const server of servers) await waitUntil(() => agreed(server), { ...patient, what: 'the Cluster to meet' });
  for (const [i, { port }] of servers.slice(3).entries()) {
    const id = String(await ask(servers[i]?.port ?? 0, 'CLUSTER', 'MYID'));
    await waitUntil(() => ask(port, 'CLUSTER', 'REPLICATE', id), { ...patient, what: 'a replica to be taken' });
  }
  const ok = async ({ port }: RedisServer, i: number): Promise<boolean> =>
    String(await ask(port, 'CLUSTER', 'INFO')).includes('cluster_state:ok') &&
    (i < 3 || String(await ask(port, 'INFO', 'replication')).includes('master_link_status:up'));
  for (const [i, server] of servers.entries())
    await waitUntil(() => ok(server, i), { ...patient, what: 'the Cluster' });
}
