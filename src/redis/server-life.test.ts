import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { Drafts } from '../testing/log-subject.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import { AppendRequest } from './append-request.ts';
import type { Reply } from './connection.ts';
import { redisKeys } from './keys.ts';
import { LogScripts, NOWHERE } from './log-scripts.ts';
import { listOf, textOf } from './reply.ts';

let servers: RedisServer[] = [];
let clients: Redis[] = [];

afterEach(async () => {
  for (const client of clients) client.disconnect();
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
  clients = [];
});

async function start(...args: readonly string[]): Promise<RedisServer> {
  const server = await startRedis({ args });
  servers.push(server);
  return server;
}

function connect(server: RedisServer): Redis {
  const client = new Redis(server.url, { retryStrategy: () => null });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

const keys = redisKeys('shop');
const options = logOptions({ slots: 64 });
const scripts = new LogScripts(keys, options, Math.random);

/** Appends on a client's one connection; answers the epoch. */
async function append(client: Redis): Promise<string> {
  const request = new AppendRequest([new Drafts().make()], options, 1_000_000, false);
  const send = ([command, ...args]: readonly (string | Uint8Array)[]): Promise<Reply> =>
    client.callBuffer(command as string, ...(args as string[])) as Promise<Reply>;
  return textOf(listOf(await scripts.run('append', { send }, NOWHERE, request.effects, request))[0]);
}

/** What `INFO` says. */
async function said(client: Redis, field: string): Promise<string> {
  return new RegExp(`${field}:(.*)\r`).exec(await client.info())?.[1] ?? '';
}

const kept = (client: Redis): Promise<string | null> => client.hget(keys.log, 'epoch');

async function follow(replica: Redis, primary: RedisServer): Promise<void> {
  await replica.replicaof('127.0.0.1', primary.port);
  await waitUntil(async () => (await said(replica, 'master_link_status')) === 'up');
}

// An append compares the replication id alone: these are the lives that it has to tell apart.
describe('an append notices that the primary is another one than at the beginning of the epoch', () => {
  it.each([
    ['an RDB file', [], (client: Redis) => client.save()],
    ['an append-only file', ['--appendonly', 'yes', '--appendfsync', 'always'], () => Promise.resolve('OK')],
  ])('started anew with all keys from %s', async (_from, args, save) => {
    const server = await start(...args);
    const before = connect(server);
    const epoch = await append(before);
    await save(before);
    await server.restart();
    const after = connect(server);
    expect(await kept(after)).toBe(epoch);
    expect(await append(after)).not.toBe(epoch);
    expect(await kept(after)).not.toBe(epoch);
  });

  it('is a replica that was promoted', async () => {
    const old = await start();
    const epoch = await append(connect(old));
    const replica = connect(await start());
    await follow(replica, old);
    await expect(append(replica)).rejects.toThrow('READONLY');
    expect(await kept(replica)).toBe(epoch);
    await replica.replicaof('NO', 'ONE');
    expect(await append(replica)).not.toBe(epoch);
  });

  it('was demoted, lost what it had taken alone, and was promoted again, under one connection and one run id', async () => {
    const [one, two] = [await start(), await start()];
    const [client, other] = [connect(one), connect(two)];
    // The first replica of a primary gives it another replication id.
    await follow(other, one);
    const epoch = await append(client);
    expect(await client.wait(1, 0)).toBe(1);
    await other.replicaof('NO', 'ONE');
    const run = await said(client, 'run_id');
    expect(await append(client)).toBe(epoch);
    const head = await client.hget(keys.log, 'head');
    await follow(client, two);
    expect(await client.hget(keys.log, 'head')).not.toBe(head);
    await client.replicaof('NO', 'ONE');
    expect(await kept(client)).toBe(epoch);
    expect(await append(client)).not.toBe(epoch);
    expect(await said(client, 'run_id')).toBe(run);
  });

  it('was demoted and promoted again before it reached its new primary', async () => {
    const client = connect(await start());
    const epoch = await append(client);
    await client.replicaof('127.0.0.1', 1);
    await client.replicaof('NO', 'ONE');
    expect(await append(client)).not.toBe(epoch);
  });
});

describe('an append goes on in its epoch', () => {
  it('where the server has saved and loaded its keys, and lost nothing', async () => {
    const client = connect(await start('--enable-debug-command', 'yes'));
    const epoch = await append(client);
    await client.call('DEBUG', 'RELOAD');
    expect(await append(client)).toBe(epoch);
  });
});
