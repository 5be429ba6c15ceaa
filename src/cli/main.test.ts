import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../test/servers/postgres-server.ts';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import { waitUntil } from '../testing/wait-until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let server: PostgresServer;
let redis: RedisServer;
let folder: string;
beforeAll(async () => {
  [server, redis] = await Promise.all([startPostgres(), startRedis()]);
  folder = mkdtempSync(join(tmpdir(), 'cli-'));
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await Promise.all([server.stop(), redis.stop()]);
});

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly code: Promise<unknown>;
}

function start(...args: string[]): Run {
  const tsx = join(root, 'node_modules/tsx/dist/esm/index.mjs');
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', tsx, join(root, 'src/cli/main.ts'), ...args], {
    ...{ cwd: folder, env: { ...env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const code = once(child, 'close').then(([it]: unknown[]) => it);
  return { child, out: () => out, err: () => err, code };
}

async function ran(...args: string[]): Promise<{ code: unknown; out: string; err: string }> {
  const run = start(...args);
  return { code: await run.code, out: run.out(), err: run.err() };
}

it.each([
  [['relay'], /no tidemark\.config\.ts here/],
  [['postgres', 'migrate', '--shcema', 'x'], /no option --shcema\. Known are --url, --schema/],
])('%j is refused in one line', async (args, message) => {
  const { code, err, out } = await ran(...args);
  expect({ code, out, lines: err.trim().split('\n').length }).toEqual({ code: 2, out: '', lines: 1 });
  expect(err).toMatch(message);
});

it('says what it can do', async () => {
  expect(await ran('postgres', 'migrate', '--help')).toMatchObject({ code: 0, out: expect.stringMatching(/--print/) });
});

it('fails with what the server says, without a stack', async () => {
  const { code, err } = await ran('postgres', 'migrate', '--url', server.urlOf('postgres', 'nowhere'));
  expect({ code, err }).toEqual({ code: 1, err: 'tidemark: database "nowhere" does not exist\n' });
});

it('migrates, or prints what it would apply', async () => {
  const first = await ran('postgres', 'migrate', '--url', server.url);
  expect(first).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^applied 0001-outbox\n/) });
  expect(await ran('postgres', 'migrate', '--url', server.url)).toMatchObject({ code: 0, out: 'nothing to do\n' });
  const { out } = await ran('postgres', 'migrate', '--print', '--schema', 'by hand');
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query(out);
  expect((await client.query('SELECT FROM "by hand".outbox')).rowCount).toBe(0);
  await client.end();
}, 30_000);

it('sets up what capture needs, or prints it', async () => {
  const printed = await ran('postgres', 'setup', '--print');
  expect(printed).toMatchObject({ code: 0, err: '' });
  expect(printed.out).toMatch(/^CREATE PUBLICATION "tidemark" WITH .*;$/m);
  await ran('postgres', 'migrate', '--url', server.url);
  const first = await ran('postgres', 'setup', '--url', server.url);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toMatch(/^made the publication tidemark\nmade the slot tidemark: everything is invalidated once/);
  const second = await ran('postgres', 'setup', '--url', server.url);
  expect(second.out).toMatch(/^the slot tidemark is there\n/);
  const pool = new pg.Pool({ connectionString: server.url });
  await pool.query("SELECT pg_drop_replication_slot('tidemark')");
  await pool.end();
  const lost = await ran('postgres', 'setup', '--url', server.url);
  expect(lost).toMatchObject({ code: 0, err: '' });
}, 60_000);

it('relays as a configuration in TypeScript says, until it is told to end', async () => {
  const source = (path: string): string => JSON.stringify(join(root, 'src', path));
  writeFileSync(
    join(folder, 'tidemark.config.ts'),
    `import { defineConfig } from ${source('cli/index.ts')};
     import { redis } from ${source('redis/index.ts')};
     const name: string = 'shop';
     export default defineConfig(async () => ({
       relay: { name, ...redis({ url: '${redis.url}' }), database: '${server.url}' },
     }));`,
  );
  const run = start('relay', '--status', '0.05', '--json');
  const lines = (): Record<string, unknown>[] =>
    run
      .out()
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  await waitUntil(() => lines().some((it) => it['state'] === 'active'), { timeout: 20_000, what: 'the relay' });
  run.child.kill('SIGTERM');
  expect({ code: await run.code, err: run.err() }).toEqual({ code: 0, err: '' });
  expect(lines()[0]).toMatchObject({ level: 30, event: expect.stringMatching(/^relay_/), msg: expect.any(String) });
  expect(lines().at(-1)).toMatchObject({ event: 'relay_status', state: 'stopped' });
}, 40_000);
