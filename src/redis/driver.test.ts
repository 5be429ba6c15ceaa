import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Certificate, makeCertificate, tlsArguments } from '../../test/servers/certificate.ts';
import { freePort } from '../../test/servers/free-port.ts';
import { clientFamilies } from '../../test/servers/redis-clients.ts';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import type { RedisClient } from './client.ts';
import { checkClient, driverOf, lazyDriver } from './driver.ts';
import { textOf } from './reply.ts';

let server: RedisServer;
let certificate: Certificate;
let tlsPort: number;
beforeAll(async () => {
  certificate = makeCertificate();
  tlsPort = await freePort();
  server = await startRedis({ args: tlsArguments(tlsPort, certificate) });
});
afterAll(async () => {
  await server.stop();
  certificate.remove();
});

it.each([
  [{}, /neither of url and client/],
  [{ url: 'redis://h', client: {} }, /both of url and client/],
  [{ url: 'http://h' }, /http:\/\/ is no address of Redis.*redis:\/\//],
  [{ url: 'secret' }, /url: this is no address/],
  [{ client: new Map() }, /class "Map" is no client of ioredis or node-redis/],
  [{ client: 'x' }, /"x" is no client/],
])('refuses %o, and says the cure', (options, message) => {
  const given = options as { url?: string; client?: RedisClient };
  expect(() => checkClient(given)).toThrow(message);
  expect(() => lazyDriver(given)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
});

it('never repeats a password', () => {
  expect(() => checkClient({ url: 'http://ann:secret@h' })).toThrow(/^(?!.*secret)/);
});

it('loads a driver for a URL when it first connects', async () => {
  const driver = lazyDriver({ url: `${server.url}/2` });
  expect(driver.spread(100)).toBeUndefined();
  const connection = await driver.connect('k', 2_000);
  expect(textOf(await connection.send(['CLIENT', 'INFO']))).toMatch(/ db=2 /);
  connection.close();
  driver.close();
});

it.each(clientFamilies)('speaks TLS as the client does, with $name', async (family) => {
  const driver = await driverOf({ client: family.standalone({ port: tlsPort, ca: certificate.ca }) });
  const connection = await driver.connect('k', 2_000);
  expect(await connection.send(['ECHO', 'x'])).toEqual(Buffer.from('x'));
  connection.close();
  const trusting = await driverOf({ client: family.standalone({ port: tlsPort, ca: '' }) });
  await expect(trusting.connect('k', 2_000)).rejects.toThrow(/self-signed|certificate/i);
});
