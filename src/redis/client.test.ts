import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clientFamilies } from '../../test/servers/redis-clients.ts';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import { waitUntil } from '../testing/wait-until.ts';
import type { RedisClient } from './client.ts';
import type { Connection, Driver } from './connection.ts';
import { driverOf } from './driver.ts';
import { bytesOf, onlyValueOf, textOf } from './reply.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ args: ['--user', 'ann', 'on', '>secret', '~*', '&*', '+@all'] });
});
afterAll(() => server.stop());

describe.each(clientFamilies)('one server, with $name', (family) => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0).toReversed()) end();
  });

  const client = (access = {}): RedisClient => {
    const made = family.standalone({ port: server.port, ...access });
    ends.push(() => family.end(made));
    return made;
  };
  const driver = async (access = {}): Promise<Driver> => {
    const made = await driverOf({ client: client(access) });
    ends.push(() => made.close());
    return made;
  };
  const connect = async (access = {}): Promise<Connection> => {
    const connection = await (await driver(access)).connect('{a}:log', 2_000);
    ends.push(() => connection.close());
    return connection;
  };

  it('carries every byte there and back, as a Buffer', async () => {
    const connection = await connect();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await connection.send(['SET', bytes, bytes.subarray(3, 9)]);
    const reply = await connection.send(['GET', bytes]);
    expect(reply).toBeInstanceOf(Buffer);
    expect([...bytesOf(reply)]).toEqual([3, 4, 5, 6, 7, 8]);
    await connection.send(['SET', 'all', bytes]);
    expect([...bytesOf(await connection.send(['GET', 'all']))]).toEqual([...bytes]);
  });

  it('answers numbers, nothing and lists in lists', async () => {
    const connection = await connect();
    expect(await connection.send(['INCR', family.name])).toBe(1);
    expect(await connection.send(['GET', 'missing'])).toBeNull();
    const nested = await connection.send(['EVAL', "return {1, {'a', {}}, false}", '0']);
    expect(nested).toEqual([1, [Buffer.from('a'), []], null]);
  });

  it('rejects with what the server said', async () => {
    const connection = await connect();
    await expect(connection.send(['EVALSHA', '0'.repeat(40), '0'])).rejects.toThrow(/^NOSCRIPT /);
    await expect(connection.send(['EVAL', "return redis.error_reply('READONLY no')", '0'])).rejects.toThrow(
      /^READONLY no/,
    );
    expect(connection.closed).toBe(false);
  });

  it('runs a loaded script by its digest', async () => {
    const connection = await connect();
    const digest = bytesOf(await connection.send(['SCRIPT', 'LOAD', 'return {KEYS[1], ARGV[1]}']));
    expect(await connection.send(['EVALSHA', digest, '1', 'k', 'v'])).toEqual([Buffer.from('k'), Buffer.from('v')]);
  });

  it('answers in the order of the calls', async () => {
    const connection = await connect();
    const replies = await Promise.all(Array.from({ length: 500 }, (_, i) => connection.send(['ECHO', `${i}`])));
    expect(replies.map(textOf)).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
  });

  it('waits for records on one connection while another one works', async () => {
    const [reader, writer] = [await connect(), await connect()];
    const stream = `stream ${family.name}`;
    const reading = reader.send(['XREAD', 'BLOCK', '0', 'STREAMS', stream, '0']);
    await writer.send(['XADD', stream, '1-1', 'f', 'v']);
    const entries = onlyValueOf(await reading);
    expect(entries).toEqual([[Buffer.from('1-1'), [Buffer.from('f'), Buffer.from('v')]]]);
  });

  it('rejects what is under way when it is closed, and says so once', async () => {
    const connection = await connect();
    let closes = 0;
    connection.onClose(() => closes++);
    const reading = connection.send(['XREAD', 'BLOCK', '0', 'STREAMS', 'never', '0']);
    connection.close();
    await expect(reading).rejects.toThrow(/closed|disconnect/i);
    await expect(connection.send(['PING'])).rejects.toThrow(/closed/);
    connection.close();
    expect(closes).toBe(1);
  });

  it('notices that the server was killed', async () => {
    const other = await startRedis();
    ends.push(() => void other.stop());
    const connection = await connect({ port: other.port });
    const reading = connection.send(['XREAD', 'BLOCK', '0', 'STREAMS', 'never', '0']);
    const rejected = reading.catch((error: unknown) => error);
    await other.kill();
    expect(await rejected).toBeInstanceOf(Error);
    await waitUntil(() => connection.closed);
    await expect(connect({ port: other.port })).rejects.toThrow(/ECONNREFUSED/);
    await other.stop();
  });

  it('gives up on a server that hangs', async () => {
    const connection = await connect();
    const made = await driver();
    server.signal('SIGSTOP');
    try {
      const asked = connection.send(['PING']).catch((error: unknown) => error);
      await expect(made.connect('k', 100)).rejects.toThrow(/within 100 ms|timeout|ETIMEDOUT/i);
      connection.close();
      expect(await asked).toBeInstanceOf(Error);
    } finally {
      server.signal('SIGCONT');
    }
  });

  it('is who the client is, on its database', async () => {
    const connection = await connect({ username: 'ann', password: 'secret', db: 3 });
    expect(textOf(await connection.send(['ACL', 'WHOAMI']))).toBe('ann');
    expect(textOf(await connection.send(['CLIENT', 'INFO']))).toMatch(/ db=3 /);
  });

  it('rejects with the reason when the password is wrong', async () => {
    await expect(connect({ username: 'ann', password: 'wrong' })).rejects.toThrow(/WRONGPASS/);
  });

  it('leaves the client as it was', async () => {
    const handed = client();
    await family.connect(handed);
    const made = await driverOf({ client: handed });
    const connection = await made.connect('k', 1_000);
    connection.close();
    made.close();
    expect(String(await family.ask(handed, 'ECHO', 'still here'))).toBe('still here');
  });
});
