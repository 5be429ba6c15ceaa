import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CommandLine, commandLine, ranCommandLine } from '../../test/servers/command-line.ts';
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

const start = (...args: string[]): CommandLine => commandLine(args, { cwd: folder });
const ran = (...args: string[]): ReturnType<typeof ranCommandLine> => ranCommandLine(args, { cwd: folder });

it.each([
  [['relay'], /no tidemark\.config\.ts here/],
  [['postgres', 'migrate', '--shcema', 'x'], /no option --shcema\. Known are --url, --schema/],
])('%j is refused in one line', async (args, message) => {
  const { code, err, out } = await ran(...args);
  expect({ code, out, lines: err.trim().split('\n').length }).toEqual({ code: 2, out: '', lines: 1 });
  expect(err).toMatch(message);
});

it.each([
  [['realy'], 2, '', /no command "realy"\. Known are .*relay/],
  [['--verbose'], 2, '', /no option "--verbose"/],
  [['postgres', 'x'], 2, '', /no command "x"\. Known are migrate, setup; see "tidemark postgres --help"/],
  [['version', 'x'], 2, '', /"x" is one argument too many/],
  [[], 2, /^Looks after.*Usage/s, /^$/],
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
  [['version'], 0, /^tidemark \d+\.\d+\.\d+, Node \d+/, /^$/],
  [['version', '--json'], 0, /^{"tidemark":"\d.*"}\n$/, /^$/],
  [['postgres', 'migrate', '-h'], 0, /--print .*Exit codes.*Examples/s, /^$/],
])('%j ends with %i', async (args, code, out, err) => {
  const run = await ran(...args);
  expect(run).toEqual({ code, out: expect.stringMatching(out), err: expect.stringMatching(err) });
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
