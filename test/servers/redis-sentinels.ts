import { waitUntil } from '../../src/testing/wait-until.ts';
import { ask } from './redis-ask.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** A primary, a replica, and three Sentinels that know them as `main`. */
export interface RedisSentinels {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** Of the Sentinels. */
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

/** Starts them and resolves when the Sentinels know the replica and each other. */
export async function startSentinels(): Promise<RedisSentinels> {
  const primary = await startRedis();
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] });
  const conf =
    `sentinel monitor main 127.0.0.1 ${primary.port} 2\n` +
    'sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n';
  const sentinels = await Promise.all([1, 2, 3].map(() => startRedis({ conf })));
  const stop = async (): Promise<void> =>
    void (await Promise.all([primary, replica, ...sentinels].map((server) => server.stop())));
  const ports = sentinels.map(({ port }) => port);
  const knows = async (port: number): Promise<boolean> =>
    String(await ask(port, 'INFO', 'sentinel')).includes('slaves=1,sentinels=3');
  try {
    for (const port of ports)
      await waitUntil(() => knows(port), { timeout: 20_000, every: 20, what: 'the Sentinels to know each other' });
  } catch (error) {
    await stop();
    throw error;
  }
  return { primary, replica, ports, stop };
}
