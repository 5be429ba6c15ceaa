import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, expect, it } from 'vitest';
import { createSubscriber } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { killed } from '../servers/killed.ts';
import { startNats } from '../servers/nats-server.ts';
import { startRedis } from '../servers/redis-server.ts';
import type { Start } from './nats-process.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const SECOND = 1_000_000_000;

/** A process on the servers of the test, and what it has told. */
function node(start: Start): { kill(): Promise<unknown>; readonly told: string[] } {
  const program = fileURLToPath(new URL('nats-process.ts', import.meta.url));
  const child: ChildProcess = fork(program, { execArgv: ['--import', 'tsx'] });
  const told: string[] = [];
  child.on('message', (message: string) => told.push(message));
  child.send(start);
  const kill = (): Promise<void> => killed(child);
  closing.push(kill);
  return { kill, told };
}

it('an event whose process is killed before the append is in the log in the end, and none was lost', async () => {
  const [server, store] = await Promise.all([startNats(), startRedis()]);
  closing.push(
    () => server.stop(),
    () => store.stop(),
  );
  const nats = await connect({ servers: server.address, maxReconnectAttempts: -1, reconnectTimeWait: 20 });
  closing.push(() => nats.close());
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name: 'ROWS', subjects: ['rows.*'] });
  await manager.consumers.add('ROWS', { durable_name: 'caches', ack_policy: 'explicit', ack_wait: SECOND });
  const inLog = new Set<string>();
  const subscriber = createSubscriber({
    name: 'shop',
    ...redis({ url: store.url }),
    onMessage: ({ targets }) => {
      for (const target of targets) if (target.kind === 'key') inLog.add(target.key);
    },
    onGap: () => {},
  });
  closing.push(() => subscriber.close());
  await subscriber.ready('20s');
  const js = jetstream(nats);
  const publish = async (from: number, to: number): Promise<void> => {
    for (let row = from; row <= to; row++)
      await waitUntil(() => js.publish(`rows.${row}`, `${row}`, { timeout: 500 }), { timeout: 20_000 });
  };
  const rows = (count: number): string[] => Array.from({ length: count }, (_, row) => `row:${row + 1}`);

  await publish(1, 20);
  const first = node({ nats: server.address, redis: store.url, hangAt: 8 });
  await waitUntil(() => first.told.includes('hanging'), { timeout: 30_000 });
  await first.kill();
  await waitUntil(() => inLog.size === 7);
  const { ack_floor, num_ack_pending } = await manager.consumers.info('ROWS', 'caches');
  expect([ack_floor.stream_seq, num_ack_pending]).toEqual([7, 13]);

  const second = node({ nats: server.address, redis: store.url });
  await waitUntil(() => inLog.size === 20, { timeout: 30_000 });
  expect([...inLog].toSorted()).toEqual(rows(20).toSorted());

  // The server of the stream is killed too, and comes back with what it has on disk.
  await server.restart();
  await publish(21, 30);
  await waitUntil(() => inLog.size === 30, { timeout: 30_000 });
  expect([...inLog].toSorted()).toEqual(rows(30).toSorted());
  expect(second.told.filter((type) => type === 'parked' || type === 'failed')).toEqual([]);
  // What is published while the log's server is down is not acknowledged before it is back.
  await store.kill();
  await publish(31, 32);
  await waitUntil(async () => (await manager.consumers.info('ROWS', 'caches')).num_ack_pending === 2);
  await store.restart();
  await waitUntil(async () => (await manager.consumers.info('ROWS', 'caches')).ack_floor.stream_seq >= 32, {
    timeout: 30_000,
  });
}, 180_000);
