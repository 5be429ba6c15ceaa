import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PostgresServer, startPostgres } from '../servers/postgres-server.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const patience = { timeout: 90_000 };

// As in production, all find the same books, and those with instances the same Redis, whichever edition wrote there before.
let postgres: PostgresServer;
let redis: RedisServer;
let service: ChildProcess | undefined;
beforeAll(async () => {
  [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
}, 60_000);
afterAll(() => Promise.all([postgres.stop(), redis.stop()]));
afterEach(async () => {
  if (service?.exitCode === null && service.signalCode === null) {
    const gone = once(service, 'exit');
    service.kill('SIGTERM');
    await gone;
  }
  service = undefined;
}, 30_000);

/** As `npm start` does it, with further environment. */
async function start(environment: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/franchise/main.ts'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'development', PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  service = child;
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  await vi.waitUntil(() => output.stdout.includes('# 3.') || child.exitCode !== null, patience);
  if (child.exitCode !== null) throw new Error(output.stderr);
  const url = /http:\S+?:\d+/.exec(output.stdout)?.[0] ?? '';
  const tokens = [...output.stdout.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name = '', token]) => [name, token]);
  return { child, url, output, tokens: Object.fromEntries(tokens) as Record<string, string> };
}

describe.each([
  { EDITION: 'fastify' },
  { EDITION: 'fastify', INSTANCES: '3' },
  { EDITION: 'nest' },
  { EDITION: 'nest', INSTANCES: '3' },
  { EDITION: 'nest-fastify' },
  { EDITION: 'nest-fastify', INSTANCES: '3' },
])('the franchise service as %o', ({ EDITION, INSTANCES = '1' }) => {
  it('passes smoke.sh, and ends', async () => {
    const shared = { DATABASE_URL: postgres.url, ...(INSTANCES !== '1' && { REDIS_URL: redis.url }) };
    const { child, url, output, tokens } = await start({ EDITION, INSTANCES, ...shared });
    const story = await run('bash', ['examples/franchise/smoke.sh', url], {
      cwd: root,
      env: { ...process.env, ...tokens },
    }).catch((error: { stdout: string }) => error);
    expect(story.stdout).not.toContain('FAIL');
    expect(story.stdout).toContain('All as expected.');
    expect(output.stderr).toContain('cache_bust org=ORG1');
    expect(output.stdout).not.toContain('cache_bust');

    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  }, 180_000);
});
