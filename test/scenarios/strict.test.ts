import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyLabel } from '../../src/coherence/label.ts';
import { logOptions } from '../../src/coherence/log-options.ts';
import { Stopwatch } from '../../src/coherence/stopwatch.ts';
import { type Cache, createCache, key, type StrictWrite, systemClock, systemRandom } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { emptiedRedis } from '../servers/emptied-redis.ts';
import type { Order } from './strict-process.ts';

const MAX_LAG = 500;
const ROW = key('row', 'a');
const PATIENT = { timeout: 15_000 };

const shared = emptiedRedis();
let caches: Cache[] = [];
/** The row in the database. */
let version = 0;

beforeEach(async () => {
  version = 0;
  for (let i = 0; i < 3; i++)
    caches.push(createCache({ name: 'shop', maxLag: MAX_LAG, strict: true, ...redis({ url: shared.server.url }) }));
  await Promise.all(caches.map((cache) => cache.ready({ timeout: '10s' })));
  await warm();
});

afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
});

const read = (cache: Cache): Promise<number> => cache.getOrSet(['row', 'a'], () => version);
const kept = (cache: Cache): Promise<number | undefined> => cache.get<number>(['row', 'a']);
const open = (): number[] => caches.map((cache) => cache.status().announced);

const epochs = (): (string | undefined)[] => caches.map((cache) => cache.status().position.split('.')[1]);

/** Every node has the row in memory: the epoch is not young any more. */
async function warm(): Promise<void> {
  await waitUntil(async () => {
    await Promise.all(caches.map(read));
    const all = await Promise.all(caches.map(kept));
    return all.every((it) => it === version);
  }, PATIENT);
}

/** What a relay does once the database has told it that a transaction has ended. */
async function closeAsRelay(id: string): Promise<void> {
  const { log } = redis({ url: shared.server.url });
  const [clock, random] = [systemClock, systemRandom()];
  const context = { name: 'shop', clock, random, stopwatch: new Stopwatch(clock), logger: undefined };
  const made = log({ ...context, logOptions: logOptions({ maxLag: MAX_LAG }) });
  const about = { kind: 'close', id: randomBytes(16).toString('hex'), origin: 'relay', closes: id } as const;
  await made.append([{ ...about, labels: [keyLabel('row:a')], patterns: [], time: Date.now() }]);
  await made.close();
}

/** Announces in a process of its own, which is killed then. */
async function announcedByTheDead(id: string): Promise<void> {
  const program = fileURLToPath(new URL('./strict-process.ts', import.meta.url));
  const child = fork(program, { execArgv: ['--import', 'tsx'] });
  child.send({ url: shared.server.url, maxLag: MAX_LAG, id, row: 'a' } satisfies Order);
  await once(child, 'message');
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

describe('a strict write', { timeout: 60_000 }, () => {
  it('is withheld on every node from before its commit, and served by all when it is over', async () => {
    const [writer] = caches as [Cache];
    for (let round = 0; round < 20; round++) {
      const write = await writer.announce([ROW], { timeout: '20s' });
      expect(await Promise.all(caches.map(kept))).toEqual([undefined, undefined, undefined]);
      version++;
      expect(await Promise.all(caches.map(read))).toEqual([version, version, version]);
      expect(await Promise.all(caches.map(kept))).toEqual([undefined, undefined, undefined]);
      expect(await write.committed()).toMatchObject({ status: 'applied', strict: true });
      // Served again as soon as each has applied the record.
      await warm();
    }
  });

  it('by many writers at once: once one has returned nobody reads anything older, whatever they tolerate', async () => {
    const broken: string[] = [];
    let busy = true;
    let returned = 0;
    let written = 0;
    const loops = caches.flatMap((cache) => [
      ...[{}, { maxStaleness: '10s' as const }].map(async (options) => {
        while (busy) {
          const owed = returned;
          const got = await cache.getOrSet(['row', 'a'], async () => version, options);
          if (got < owed) broken.push(`${got} instead of ${owed}`);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }),
      (async () => {
        while (busy) {
          const write = await cache.announce([ROW], { timeout: '20s' });
          const mine = ++version;
          const receipt = await write.committed();
          if (receipt.strict === true) returned = Math.max(returned, mine);
          written++;
        }
      })(),
    ]);
    await waitUntil(() => written > 150, { timeout: 40_000 });
    busy = false;
    await Promise.all(loops);
    expect(broken).toEqual([]);
    await waitUntil(() => open().every((count) => count === 0), PATIENT);
    await warm();
  });

  it('whose writer is killed leaves the row uncached and never stale, until somebody closes it who knows', async () => {
    const id = randomBytes(16).toString('hex');
    await announcedByTheDead(id);
    expect(open()).toEqual([1, 1, 1]);
    for (let round = 0; round < 3; round++) {
      version++; // its COMMIT may still be carried out
      expect(await Promise.all(caches.map(read))).toEqual([version, version, version]);
      const tolerant = caches.map((cache) => cache.getOrSet(['row', 'a'], () => version, { maxStaleness: '1m' }));
      expect(await Promise.all(tolerant)).toEqual([version, version, version]);
      expect(await Promise.all(caches.map(kept))).toEqual([undefined, undefined, undefined]);
    }
    await closeAsRelay(id);
    await waitUntil(() => open().every((count) => count === 0), PATIENT);
    await warm();
  });

  it('is announced again where the log has lost everything, and ends there', async () => {
    const [writer] = caches as [Cache];
    const write: StrictWrite = await writer.announce([ROW], { timeout: '20s' });
    const before = epochs();
    await shared.admin.flushall();
    await waitUntil(() => epochs().every((epoch, i) => epoch !== before[i]), PATIENT);
    await waitUntil(() => open().every((count) => count === 1), PATIENT);
    version++;
    const receipt = await write.committed();
    expect(receipt.strict).toBe(true);
    expect(await Promise.all(caches.map(read))).toEqual([version, version, version]);
    await waitUntil(() => open().every((count) => count === 0), PATIENT);
    await warm();
  });

  it('is refused where a node does not confirm it in time, and leaves nothing open', async () => {
    const [writer] = caches as [Cache];
    await shared.admin.hset('{shop}:nodes', 'shop#dead', `- 0 60000 ${Date.now()}`);
    await shared.admin.hset('{shop}:log', 'longest', '60000');
    await expect(writer.announce([ROW], { timeout: 300 })).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
    await waitUntil(() => open().every((count) => count === 0), PATIENT);
    await warm();
  });
});
