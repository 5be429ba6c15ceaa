import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const smoke = fileURLToPath(new URL('./smoke.sh', import.meta.url));

interface Service {
  readonly child: ChildProcess;
  readonly url: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The shell commands that it printed for a newcomer. */
  readonly printed: string[];
}

const patience = { timeout: 60_000 };

/** Everything that the service puts on disk is in here, so that what it leaves behind can be seen. */
let temporary: string;
let running: ChildProcess | undefined;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'franchise-test-'));
  // Root lends Postgres another account, which has to get in, and out.
  chmodSync(temporary, 0o1777);
});

afterEach(async () => {
  if (running && running.exitCode === null && running.signalCode === null) {
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
    await vi.waitUntil(() => left().length === 0, patience);
  }
  running = undefined;
  rmSync(temporary, { recursive: true });
});

/** What the service has on disk. (tsx keeps its compiled files in the same place, whoever it runs.) */
const left = (): string[] => readdirSync(temporary).filter((name) => name.startsWith('franchise-'));

/** As `npm start` does it. */
function launch(environment: NodeJS.ProcessEnv): { child: ChildProcess; output: { stdout: string; stderr: string } } {
  const output = { stdout: '', stderr: '' };
  const started: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'examples/franchise/main.ts'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'development', TMPDIR: temporary, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  started.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  running = started;
  return { child: started, output };
}

async function start(): Promise<Service> {
  const { child, output } = launch({ PORT: '0' });
  await vi.waitUntil(() => output.stdout.includes('# 3.') || child.exitCode !== null, patience);
  if (child.exitCode !== null) throw new Error(output.stderr);
  const url = /http:\S+?:\d+/.exec(output.stdout)?.[0] ?? '';
  const tokens = [...output.stdout.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name = '', token]) => [name, token]);
  const printed = output.stdout.split('\n').filter((line) => line.startsWith('curl '));
  const environment = Object.fromEntries(tokens) as Record<string, string>;
  return { child, url, printed, environment: { ...process.env, ...environment } };
}

/** The folder of the Postgres server that the running service has started. */
function socketFolder(): string {
  return join(temporary, left()[0] ?? '');
}

/** The process of that server. */
function postmaster(): number {
  return Number(readFileSync(join(socketFolder(), 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A container whose first process does not collect orphans keeps the entries of processes that have ended.
    const status = `/proc/${pid}/stat`;
    return !existsSync(status) || !/\) Z /.test(readFileSync(status, 'utf8'));
  } catch {
    return false;
  }
}

/** Stops the service while it works on a request, and expects that it answers before it ends. */
async function expectLastRequestAnswered({ child, url, environment }: Service): Promise<void> {
  const sql = postgres({ host: socketFolder(), port: 5432, username: 'postgres', database: 'postgres', max: 2 });
  const lock = await sql.reserve();
  await lock`begin`;
  await lock`lock table franchise.budget`;
  const request = fetch(`${url}/franchise/budgets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${environment['TOKEN']}`, 'content-type': 'application/json' },
    body: '{"branchId":"B123","period":"2025-11","revenueTarget":1,"cogsTarget":1,"expenseTarget":1}',
  });
  await vi.waitUntil(async () => (await sql`select from pg_locks where not granted`).length === 1, patience);
  child.kill('SIGTERM');
  const refused = (): Promise<boolean> =>
    fetch(url).then(
      () => false,
      () => true,
    );
  await vi.waitUntil(refused, patience);
  expect(child.exitCode).toBe(null);
  await lock`commit`;
  lock.release();
  expect((await request).status).toBe(200);
  await sql.end();
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(0);
}

describe('the service as a newcomer starts it', () => {
  it('does what it prints and all of smoke.sh, then answers the last request, stops and leaves nothing', async () => {
    const service = await start();
    const { url, environment, printed } = service;
    const sh = async (command = ''): Promise<string> =>
      (await run('bash', ['-c', command], { env: environment })).stdout;

    const [read, change, readAgain] = printed;
    expect(await sh(read)).toMatch(/^"cached":false\n\{"branchId":"B123"/);
    expect(await sh(read)).toMatch(/^"cached":true\n/);
    expect(await sh(change)).toContain('"event":"budget.updated"');
    const third = await sh(readAgain);
    expect(third).toMatch(/^"cached":false\n/);
    expect(third).toContain('"revenueTarget":72000,"cogsTarget":21000,"expenseTarget":30000');

    const story = await run('bash', [smoke, url], { env: environment }).catch((error: { stdout: string }) => error);
    expect(story.stdout).not.toContain('FAIL');
    expect(story.stdout).toContain('All as expected.');

    const server = postmaster();
    expect(runs(server)).toBe(true);
    await expectLastRequestAnswered(service);
    expect(left()).toEqual([]);
    expect(runs(server)).toBe(false);
  }, 120_000);

  it('does what its README shows and, killed without warning, leaves nothing', async () => {
    const { child, url, environment } = await start();
    const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8');
    const shown = /## Requests to try\n\n```sh\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const { stdout } = await run('bash', ['-c', shown.replaceAll('http://localhost:3001', url)], { env: environment });
    expect(stdout.match(/"cached":\w+|"event":"[^"]+"/g)).toEqual([
      '"cached":false',
      '"cached":false',
      '"event":"budget.updated"',
      '"cached":false',
      '"cached":true',
    ]);

    const server = postmaster();
    child.kill('SIGKILL');
    await vi.waitUntil(() => left().length === 0, patience);
    expect(runs(server)).toBe(false);
  }, 120_000);

  it('stops at once when told to while it starts', async () => {
    const { child, output } = launch({ PORT: '0' });
    await vi.waitUntil(() => left().length > 0, patience);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect({ exitCode: child.exitCode, ...output }).toMatchObject({ exitCode: 0 });
    expect(left()).toEqual([]);
  }, 120_000);

  it('says which port is taken, or is none', async () => {
    const other = createServer().listen(0, 'localhost');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const taken = launch({ PORT: String(port) });
    await once(taken.child, 'exit');
    expect(taken.child.exitCode).toBe(1);
    expect(taken.output.stderr).toContain(
      `Port ${port} is taken. Choose another one, for example PORT=3002 npm start.`,
    );
    expect(left()).toEqual([]);
    other.close();

    const none = launch({ PORT: '30o1' });
    await once(none.child, 'exit');
    expect(none.child.exitCode).toBe(1);
    expect(none.output.stderr).toContain('PORT must be a number from 0 to 65535, not "30o1".');
  }, 120_000);
});
