import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import type { DayAnswer, DayRequest, Office } from './day.ts';
import { ToldProcess } from './told-process.ts';

const program = fileURLToPath(new URL('./day-process.ts', import.meta.url));
const PATIENT = { timeout: 90_000, every: 200 } as const;
const TOKEN = 'a-token-for-the-day-in-the-life';

/** What the API tells, as far as the day needs it. */
interface Reason {
  readonly code: string;
  readonly message: string;
  readonly recommendation: string;
}

interface Fleet {
  readonly status: string;
  readonly reasons: readonly Reason[];
  readonly recommendations: readonly string[];
  readonly nodes: readonly { readonly node: string; readonly kind: string; readonly status: string }[];
}

interface Colleague {
  readonly process: ToldProcess<DayRequest, DayAnswer>;
  readonly url: string;
}

let postgres: PostgresServer;
let redis: RedisServer;
let pool: pg.Pool;
let office: Office;
let nodes: Colleague[] = [];
let relay: ToldProcess<DayRequest, DayAnswer>;

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  office = { redis: redis.url, database: postgres.url, token: TOKEN };
  pool = new pg.Pool({ connectionString: postgres.url });
  pool.on('error', () => {});
  await migrate(pool);
  await pool.query('CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)');
  await pool.query('INSERT INTO account SELECT id, 0 FROM generate_series(0, 59) id');
  relay = await begin('relay');
  nodes = await Promise.all(
    [1, 2, 3].map(async () => {
      const process = new ToldProcess<DayRequest, DayAnswer>(program);
      const answer = await process.ask({ type: 'serve', office });
      return { process, url: answer.type === 'serves' ? answer.url : '' };
    }),
  );
}, 120_000);

afterAll(async () => {
  for (const { process } of nodes) process.signal('SIGCONT');
  await Promise.all([...nodes.map(({ process }) => process), relay].map((it) => it.end({ type: 'stop' })));
  await pool.end();
  await Promise.all([postgres.stop(), redis.stop()]);
}, 60_000);

async function begin(type: 'relay'): Promise<ToldProcess<DayRequest, DayAnswer>> {
  const process = new ToldProcess<DayRequest, DayAnswer>(program);
  await process.ask({ type, office });
  return process;
}

async function asked<T>(path: string, { node = 0, body }: { node?: number; body?: unknown } = {}): Promise<T> {
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
  const answer = await fetch(`${nodes[node]?.url}${path}`, init);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** What happened on the way, for whoever has to find out why the day did not end well. */
let last: Fleet | undefined;

async function fleet(): Promise<Fleet> {
  last = await asked<Fleet>('/admin/cache/fleet');
  return last;
}

/** Until the fleet gives a reason, as the one on call would read it. */
async function reasonFor(code: string, text: RegExp): Promise<Reason> {
  let found: Reason | undefined;
  const isThere = async (): Promise<boolean> => {
    const { status, reasons, recommendations } = await fleet();
    found = reasons.find((it) => it.code === code && text.test(it.message));
    return found !== undefined && status !== 'healthy' && recommendations.includes(found.recommendation);
  };
  await waitUntil(isThere, { ...PATIENT, what: `the reason ${code} ${text}` }).catch((error: unknown) => {
    throw new Error(`${String(error)} in ${JSON.stringify(last?.reasons)}`);
  });
  return found as Reason;
}

/** Until a reason is gone, or the fleet is healthy again. */
async function over(code?: string): Promise<void> {
  const isOver = async (): Promise<boolean> => {
    const { status, reasons } = await fleet();
    return code === undefined ? status === 'healthy' : !reasons.some((it) => it.code === code);
  };
  await waitUntil(isOver, { ...PATIENT, what: code ?? 'a healthy fleet' }).catch((error: unknown) => {
    throw new Error(`${String(error)} in ${JSON.stringify(last?.reasons)}`);
  });
}

it('begins and ends healthy, and says of everything between what it is and what to do', async () => {
  await over();
  const { nodes: views } = await fleet();
  expect(views.map(({ kind }) => kind).toSorted()).toEqual(['node', 'node', 'node', 'relay']);

  // One tenant invalidates more than a hundred times a minute.
  await nodes[1]?.process.ask({ type: 'storm', tenant: '3', count: 130 });
  const stormy = await reasonFor('tenant-storm', /\b3\b/);
  expect(stormy.message).toMatch(/1[3-9]\d/);

  // A node is frozen: it is listed, and says nothing.
  nodes[2]?.process.signal('SIGSTOP');
  const frozen = await reasonFor('silent', /1 of 3 nodes/);
  const { nodes: seen } = await fleet();
  expect(frozen.message).toContain(seen.find(({ status }) => status === 'silent')?.node);
  nodes[2]?.process.signal('SIGCONT');
  await over('silent');

  // Redis is gone: each node says so of itself, and none of them is to be restarted for it, or kept from its requests.
  await redis.kill();
  const cutOff = async (): Promise<boolean> => {
    const { status, reasons } = await asked<Fleet>('/admin/cache/health', { node: 1 });
    return status !== 'healthy' && reasons.some(({ code }) => code === 'detached');
  };
  await waitUntil(cutOff, { ...PATIENT, what: 'a node that says it is detached' });
  for (const probe of ['/livez', '/readyz']) expect((await fetch(`${nodes[1]?.url}${probe}`)).status).toBe(200);
  expect((await fleet()).reasons.map(({ code }) => code)).toContain('server');
  await redis.restart();
  await over('detached');
  await over('server');

  // The relay is killed. (Redis has forgotten it; it says every few seconds that it is there.)
  const isListed = async (): Promise<boolean> => (await fleet()).nodes.some(({ kind }) => kind === 'relay');
  await waitUntil(isListed, { ...PATIENT, what: 'the relay to report' });
  relay.signal('SIGKILL');
  const unrelayed = await reasonFor('relay', /relay/i);
  expect(unrelayed.recommendation).toMatch(/relay/i);
  relay = await begin('relay');
  await over('relay');

  // Somebody changes a row and tells nobody.
  await pool.query('UPDATE account SET balance = 1000000 WHERE id = 55');
  await reasonFor('violation', /balance:55/);
  const { violations } = await asked<{ violations: readonly { key: string; kind: string }[] }>('/admin/cache/samples');
  const all = await Promise.all(
    [1, 2].map((node) =>
      asked<{ violations: readonly { key: string; kind: string }[] }>('/admin/cache/samples', { node }),
    ),
  );
  const found = [violations, ...all.map((it) => it.violations)].flat();
  expect(new Set(found.filter(({ kind }) => kind === 'violation').map(({ key }) => key))).toEqual(
    new Set(['balance:55']),
  );
  const explained = await asked<{ sentence: string }>('/admin/cache/entry?key=balance:55');
  expect(explained.sentence).toMatch(/answered from (memory|the store)/);
  await asked('/api/system/cache/invalidate', { body: { keys: ['balance:55'], event: 'mended by hand' } });
  await over('violation');
  const { records } = await asked<{ records: readonly { cause?: { event?: string }; event?: string }[] }>(
    '/admin/cache/records?most=1000',
  );
  expect(JSON.stringify(records)).toContain('mended by hand');

  // All is as it was.
  await over();
}, 420_000);
