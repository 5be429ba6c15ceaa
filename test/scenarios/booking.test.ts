import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { CalendarServer } from '../../examples/booking/calendar-server.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Gateway } from '../servers/gateway.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

// The booking example as users run it, in several processes over a real Postgres and a real Redis.

const root = fileURLToPath(new URL('../../', import.meta.url));
const TOKEN = 'x-tidemark-token';
const PATIENT = { timeout: 60_000 } as const;

let postgres: PostgresServer;
let redis: RedisServer;
let gateway: Gateway;
let gatewayUrl: string;
let pool: pg.Pool;
const calendar = new CalendarServer();
let calendarUrl: string;
const services: Service[] = [];

beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  pool = new pg.Pool({ connectionString: postgres.url });
  pool.on('error', () => {});
  calendarUrl = await calendar.listen();
  gateway = new Gateway(redis.port);
  gatewayUrl = await gateway.listen();
}, 60_000);
afterEach(async () => {
  for (const { child } of services.splice(0)) {
    const gone = child.exitCode === null && child.signalCode === null && once(child, 'close');
    child.kill('SIGTERM');
    await gone;
  }
}, 30_000);
afterAll(async () => {
  await gateway.close();
  await calendar.close();
  await pool.end();
  await redis.stop();
  await postgres.stop();
}, 30_000);

interface Service {
  readonly child: ChildProcess;
  readonly url: string;
  readonly said: () => string;
}

async function start(redisUrl: string, environment: NodeJS.ProcessEnv = {}): Promise<Service> {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'examples/booking/main.ts', '--serve'], {
    cwd: root,
    env: {
      ...process.env,
      DATABASE_URL: postgres.url,
      REDIS_URL: redisUrl,
      CALENDAR_URL: calendarUrl,
      CALENDAR_DEADLINE: '20000',
      PORT: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const service = { child, url: '', said: () => said };
  services.push(service);
  const url = await waitUntil(() => {
    if (child.exitCode !== null) throw new Error(said);
    return /^Booking: +(\S+)$/m.exec(said)?.[1];
  }, PATIENT);
  return Object.assign(service, { url: String(url) });
}

async function book({ url }: Service, start: string, customerId: string) {
  const response = await fetch(`${url}/appointments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ staffId: 'S1', serviceId: 'cut', customerId, start }),
  });
  const { type } = (await response.json()) as { type?: string };
  return { status: response.status, type, token: response.headers.get(TOKEN) ?? '' };
}

async function offer({ url }: Service, start: string, token?: string) {
  const response = await fetch(`${url}/staff/S1/availability?day=${start.slice(0, 10)}&service=cut`, {
    headers: token === undefined ? {} : { [TOKEN]: token },
  });
  const { data, from } = (await response.json()) as { data: { starts: string[] }; from: string };
  return { offered: data.starts.includes(start), from };
}

const claims = async (start: string): Promise<number> =>
  (await pool.query('select from booking.claim where lower(during) = $1', [start])).rowCount ?? 0;
const outbox = async (): Promise<number> => (await pool.query('select from tidemark.outbox')).rowCount ?? 0;

it('fifty book the same time in two processes: one gets it, nobody is offered it afterwards', async () => {
  const nodes = [await start(redis.url), await start(redis.url)] as const;
  const time = '2031-03-03T10:00:00.000Z';
  for (const node of nodes) expect(await offer(node, time)).toMatchObject({ offered: true });

  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const [own, other] = i % 2 === 0 ? nodes : [nodes[1], nodes[0]];
      const answer = await book(own, time, `C${i + 1}`);
      const looks = [await offer(own, time), await offer(other, time, answer.token)];
      return { ...answer, offered: looks.some((it) => it.offered) };
    }),
  );

  expect(answers.filter((it) => it.status === 201)).toHaveLength(1);
  expect(answers.filter((it) => it.status === 409 && it.type === 'urn:booking:slot-taken')).toHaveLength(49);
  expect(answers.filter((it) => it.offered)).toEqual([]);
  expect(await claims(time)).toBe(1);
  expect(calendar.events('noor@example.com').map((it) => it.state)).toEqual(['confirmed']);
  await waitUntil(async () => (await outbox()) === 0, PATIENT);
}, 120_000);

it('a service killed between its commit and its append: the relay of another one tells, and its saga is undone', async () => {
  const environment = { ABANDONED_AFTER: '8000' };
  const first = await start(gatewayUrl, environment);
  const second = await start(redis.url, environment);
  const time = '2031-03-10T10:00:00.000Z';
  // Until it follows the log, it serves nothing from its memory.
  await waitUntil(async () => (await offer(second, time)).from === 'memory', PATIENT);
  expect(await offer(second, time)).toEqual({ offered: true, from: 'memory' });

  // Nothing gets from the first one to the log any more, and it does not know.
  gateway.state = 'silent';
  const booking = book(first, time, 'C1').catch(() => 'no answer');
  await waitUntil(async () => (await claims(time)) === 1, PATIENT);
  first.child.kill('SIGKILL');
  expect(await booking).toBe('no answer');
  const waiting = await outbox();

  await waitUntil(async () => !(await offer(second, time)).offered, PATIENT);
  expect(waiting).toBeGreaterThan(0);
  expect(await claims(time)).toBe(1);
  expect(second.said()).toMatch(/relay +appended/);

  // Its customer was never told, so the appointment is taken back, in the calendar too.
  await waitUntil(async () => (await offer(second, time)).offered, PATIENT);
  expect(second.said()).toMatch(/pending -> cancelled/);
  expect(await claims(time)).toBe(0);
  expect(calendar.events('noor@example.com').filter((it) => it.state === 'confirmed')).toHaveLength(1);
  await waitUntil(async () => (await outbox()) === 0, PATIENT);
}, 120_000);
