import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../cache/system-clock.ts';
import { partContext } from '../testing/part-context.ts';
import { reportsContract, type ReportsSubject } from '../testing/reports-contract.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { clientFamilies } from '../../test/servers/redis-clients.ts';
import { emptiedRedis } from '../../test/servers/emptied-redis.ts';
import { redis } from './redis.ts';
import type { RedisReports } from './reports.ts';

const redisServer = emptiedRedis();
let count = 0;

interface Subject extends ReportsSubject {
  readonly name: string;
  readonly ends: () => Promise<unknown>;
}

function open(family: (typeof clientFamilies)[number]): Subject {
  const name = `reports${++count}`;
  const { port } = redisServer.server;
  const clients = [family.standalone({ port }), family.standalone({ port })] as const;
  const [reports, other] = clients.map((client) =>
    redis({ client, timeout: '5s' }).reports(partContext(systemClock, { name, random: systemRandom() })),
  ) as [RedisReports, RedisReports];
  const ends = async (): Promise<void> => {
    await Promise.all([reports.close(), other.close()]);
    for (const client of clients) family.end(client);
  };
  return { reports, other, name, elapse: redisServer.elapse, ends };
}

for (const family of clientFamilies)
  reportsContract(
    { describe, it, beforeEach, afterEach },
    { name: `reports on Redis, with ${family.name}`, open: () => open(family), close: ({ ends }) => ends() },
  );

describe('reports on Redis', () => {
  let subject: Subject;

  beforeEach(() => {
    subject = open(clientFamilies[0] as (typeof clientFamilies)[number]);
  });

  afterEach(() => subject.ends());

  const key = (): string => `{${subject.name}}:reports`;

  it('do not pile up where nobody reads them', async () => {
    for (let i = 0; i < 50; i++) await subject.reports.publish(`gone#${i}`, 'fine', 1);
    await waitUntil(async () => {
      await subject.reports.publish('here', 'fine', 60_000);
      return (await redisServer.admin.hlen(key())) === 1;
    });
    expect(await redisServer.admin.hkeys(key())).toEqual(['here']);
  });

  it('are dropped by who lists them', async () => {
    for (let i = 0; i < 3; i++) await subject.reports.publish(`gone#${i}`, 'fine', 1);
    await redisServer.admin.hset(key(), 'foreign', 'whatever');
    await subject.reports.publish('here', 'fine', 60_000);
    await waitUntil(async () => (await subject.other.list()).length === 1);
    expect(await redisServer.admin.hkeys(key())).toEqual(['here']);
  });

  it('leave no key behind when the fleet is gone', async () => {
    await subject.reports.publish('a', 'fine', 100);
    expect(await redisServer.admin.pttl(key())).toBeLessThanOrEqual(100);
    await waitUntil(async () => (await redisServer.admin.exists(key())) === 0);
  });

  it('are published where memory is short: then somebody will want to look', async () => {
    await redisServer.admin.config('SET', 'maxmemory', '1');
    try {
      await subject.reports.publish('a', 'fine', 60_000);
      expect(await subject.other.list()).toHaveLength(1);
    } finally {
      await redisServer.admin.config('SET', 'maxmemory', '0');
    }
  });
});
