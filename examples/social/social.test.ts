import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitUntil } from 'tidemark/testing';
import { afterEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

let running: ChildProcess | undefined;
afterEach(() => {
  running?.kill('SIGKILL');
  running = undefined;
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly output: { stdout: string; stderr: string };
}

/** As `npm run example:social` does it. That no process is left is checked when this file ends. */
function launch(environment: NodeJS.ProcessEnv = {}): Run {
  const output = { stdout: '', stderr: '' };
  const env = { ...process.env, REDIS_URL: '', ...environment };
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'examples/social/main.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  return { child, output, ended: once(child, 'close') };
}

it('plays its story, says what happened where and when, and ends', async () => {
  const { child, output, ended } = launch();
  await ended;

  expect(output.stderr).toBe('');
  expect(child.exitCode).toBe(0);
  for (const line of [
    /^ +[\d.]+ ms {2}feed {5}feed:page:44:1 from its loader/m,
    /^ +[\d.]+ ms {2}feed {5}feed:page:44:1 from memory/m,
    /^ +[\d.]+ ms {2}gateway {2}copy:user:profile:42 from store/m,
    /^ +[\d.]+ ms {2}feed {5}applied user\.renamed at \d+/m,
    /^ +[\d.]+ ms {2}story {4}feed and gateway show the new name, \d+ ms after the answer/m,
    /^ +20 of 20 reads showed the name that had just been written/m,
    /^ +[\d.]+ ms {2}user {5}detached from the log/m,
    /^ +[\d.]+ ms {2}user {5}user\.renamed: queued, position 1\.queued/m,
    /^ +[\d.]+ ms {2}client {3}GET \/users\/42: 42: Augusta Ada King, from loader/m,
    /^ +[\d.]+ ms {2}client {3}GET \/feed\/44, with the position: Augusta Ada King: /m,
    /^All as expected\.$/m,
  ])
    expect(output.stdout).toMatch(line);
}, 60_000);

it('leaves no service and no server behind when it is killed', async () => {
  const { child, output, ended } = launch();
  await waitUntil(() => output.stdout.includes('gateway  http'), { timeout: 50_000 });
  child.kill('SIGKILL');
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
}, 60_000);

it('says in one line what it needs where there is no Redis', async () => {
  const { child, output, ended } = launch({ PATH: '/nowhere' });
  await ended;
  expect(child.exitCode).toBe(1);
  expect(output.stderr).toBe(
    'This example needs Redis: set REDIS_URL=redis://host:port, or install redis-server or valkey-server.\n',
  );
}, 30_000);
