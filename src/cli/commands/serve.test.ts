import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../../test/servers/redis-server.ts';
import { type Cache, createCache } from '../../cache/cache.ts';
import { redis } from '../../redis/index.ts';
import { waitUntil } from '../../testing/wait-until.ts';

const TOKEN = 'operator-token-0123456789';
const root = fileURLToPath(new URL('../../..', import.meta.url));

let server: RedisServer;
let cache: Cache;
let folder: string;
beforeAll(async () => {
  server = await startRedis();
  cache = createCache({ name: 'shop', ...redis({ url: server.url }) });
  await cache.ready();
  folder = mkdtempSync(join(tmpdir(), 'serve-'));
}, 30_000);
afterAll(async () => {
  await cache.close();
  await server.stop();
  rmSync(folder, { recursive: true });
});

function start(args: readonly string[], token?: string) {
  const tsx = join(root, 'node_modules/tsx/dist/esm/index.mjs');
  const { TIDEMARK_TOKEN: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', tsx, join(root, 'src/cli/main.ts'), 'serve', ...args], {
    ...{ cwd: folder, env: { ...env, NO_COLOR: '1', ...(token && { TIDEMARK_TOKEN: token }) } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const told = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (told.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (told.err += data.toString()));
  const code = once(child, 'close').then(([it]: unknown[]) => it);
  const url = (): Promise<string | undefined> =>
    waitUntil(() => /http:\/\/127\.0\.0\.1:\d+/.exec(told.out)?.[0], { timeout: 20_000, what: told.err || 'serve' });
  return { child, told, code, url };
}

async function used(url: string | undefined, token: string): Promise<void> {
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
  expect((await fetch(`${url}/admin/cache/health`)).status).toBe(401);
  expect((await ask('/admin/cache/health')).status).toBe(200);
  await cache.getOrSet('user:42', () => 'old');
  const body = JSON.stringify({ keys: ['user:42'] });
  const receipt = (await (await ask('/api/system/cache/invalidate', { method: 'POST', body })).json()) as object;
  expect(receipt).toMatchObject({ status: 'applied' });
  await waitUntil(async () => (await cache.getOrSet('user:42', () => 'new')) === 'new');
  expect((await cache.parts.presence?.list())?.nodes.map(({ node }) => node)).toEqual([cache.parts.node]);
}

it('serves the fleet of a Redis, until it is told to end, with a stream open', async () => {
  const { child, code, told, url } = start(['--redis', server.url, '--name', 'shop', '--port', '0'], TOKEN);
  const address = await url();
  await used(address, TOKEN);
  expect(told.out).toMatch(/cache_admin: operator POST \/api\/system\/cache\/invalidate done/);
  expect(told.out).not.toContain(TOKEN);
  const stream = await fetch(`${address}/admin/cache/stream`, { headers: { authorization: `Bearer ${TOKEN}` } });
  child.kill('SIGTERM');
  expect(await stream.text()).toContain('event: summary');
  expect({ code: await code, err: told.err }).toEqual({ code: 0, err: '' });
}, 60_000);

it('serves what a configuration says', async () => {
  const source = (path: string): string => JSON.stringify(join(root, 'src', path));
  writeFileSync(
    join(folder, 'tidemark.config.ts'),
    `import { defineConfig } from ${source('cli/index.ts')};
     import { redis } from ${source('redis/index.ts')};
     export default defineConfig({
       serve: {
         cache: { name: 'shop', ...redis({ url: '${server.url}' }) },
         access: { tokens: { reader: 'reader-token-0123456789', operator: { ada: '${TOKEN}' } } },
         port: 0,
       },
     });`,
  );
  const { child, code, told, url } = start([]);
  await used(await url(), TOKEN);
  expect(told.out).toContain('cache_admin: ada ');
  child.kill('SIGINT');
  expect(await code).toBe(0);
}, 60_000);

it.each([
  [['--redis', 'URL', '--name', 'shop'], undefined, /Who may use the API\?/],
  [
    ['--redis', 'URL', '--name', 'shpo', '--token', TOKEN],
    undefined,
    /no fleet "shpo" on this server\. There is shop\./,
  ],
])(
  'refuses %j in a line',
  async (args, token, message) => {
    const { code, told } = start(
      args.map((it) => it.replace('URL', server.url)),
      token,
    );
    expect({ code: await code, out: told.out, lines: told.err.trim().split('\n').length }).toEqual({
      code: 2,
      out: '',
      lines: 1,
    });
    expect(told.err).toMatch(message);
  },
  30_000,
);
