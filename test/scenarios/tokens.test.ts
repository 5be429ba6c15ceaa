import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Gateway } from '../servers/gateway.ts';
import { ask } from '../servers/redis-ask.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { CLEAN, Fleet } from './fleet.ts';
import type { Member } from './member.ts';
import { Service } from './service.ts';

const MAX_LAG = 10_000;

let rows: readonly [string, string, string];
let test = 0;

let server: RedisServer;
let toService: Gateway;
let toReader: Gateway;
let service: Service;
let fleet: Fleet;
let reader: Member;

beforeAll(async () => {
  server = await startRedis();
  toService = new Gateway(server.port);
  service = new Service();
  await service.start(await toService.listen(), MAX_LAG);
});

afterAll(async () => {
  await service.stop();
  await toService.close();
  await server.stop();
});

beforeEach(async () => {
  test++;
  // The store keeps what another test has left.
  rows = [`${test}-a`, `${test}-b`, `${test}-c`];
  toReader = new Gateway(server.port);
  fleet = new Fleet({ maxLag: MAX_LAG });
  reader = fleet.join({ url: await toReader.listen() });
  await fleet.heal(rows);
});

afterEach(async () => {
  await fleet.close();
  await toReader.close();
});

/** A commit, and its invalidation in another process. */
async function writeThere(row: string): Promise<{ readonly version: number; readonly token: string; status: string }> {
  const version = fleet.truth.commit(row);
  return { version, ...(await service.write(row)) };
}

describe('a token of one process, in another', { timeout: 30_000 }, () => {
  it('is never answered by anything older, however shortly after', async () => {
    for (let round = 0; round < 200; round++) {
      const row = rows[round % rows.length] as string;
      const { version, token } = await writeThere(row);
      expect((await reader.read(row, { atLeast: token })).value).toBe(version);
      // Somebody who comes without it at the same time may be given the old one, but not in its place.
      const [late, other] = await Promise.all([reader.read(row, { atLeast: token }), reader.read(row)]);
      expect(late.value).toBe(version);
      expect(other.value).toBe(version);
    }
    expect(await fleet.heal(rows)).toEqual(CLEAN);
  });

  it('is not answered from memory or the store by a node that hears of it too late', async () => {
    const release = toReader.hold();
    const { version, token } = await writeThere(rows[0]);
    // It may: nobody has told it, and its proof is young enough.
    expect(await reader.read(rows[0])).toMatchObject({ value: version - 1, from: 'memory' });
    const read = reader.read(rows[0], { atLeast: token });
    expect((await read).value).toBe(version);
    release();
    await waitUntil(async () => (await reader.read(rows[0])).value === version);
    expect(await fleet.heal(rows)).toEqual(CLEAN);
  });

  it('of a life of the log that is over is answered by the source', async () => {
    const { version, token } = await writeThere(rows[0]);
    const before = reader.count('epoch');
    await ask(server.port, 'FLUSHALL');
    await waitUntil(() => reader.count('epoch') > before);
    await fleet.heal(rows);
    expect(await reader.read(rows[0], { atLeast: token })).toMatchObject({ value: version, from: 'loader' });
  });

  it('of a write that could not be sent yet is answered by the source', async () => {
    toService.state = 'closed';
    toService.cut();
    const { version, token, status } = await writeThere(rows[1]);
    expect(status).toBe('queued');
    expect(await reader.read(rows[1])).toMatchObject({ value: version - 1, from: 'memory' });
    expect(await reader.read(rows[1], { atLeast: token })).toMatchObject({ value: version, from: 'loader' });
    toService.state = 'open';
    await waitUntil(async () => (await reader.read(rows[1])).value === version, { timeout: 15_000 });
    expect(await fleet.heal(rows)).toEqual(CLEAN);
  });
});
