import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Cache } from 'tidemark';
import { cacheToken } from 'tidemark/nestjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { root } from '../docs/workshop.ts';
import { type Platform, platforms } from '../servers/nest-app.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import type { AppModule, Users } from './nestjs-service.ts';

// What docs/nestjs.md tells somebody who has a service: applied to one, and run in two instances on a Redis.

let server: RedisServer;
let folder: string;
let apps: INestApplication[] = [];
beforeEach(async () => {
  server = await startRedis();
  vi.stubEnv('REDIS_URL', server.url);
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache', 'newcomer-'));
  // So that the decorators in it are taken for what they are.
  writeFileSync(join(folder, 'tsconfig.json'), '{ "extends": "../../tsconfig.json", "include": ["."] }');
});
afterEach(async () => {
  for (const app of apps) await app.close();
  apps = [];
  rmSync(folder, { recursive: true });
  await server.stop();
});

const page = readFileSync(join(root, 'docs/nestjs.md'), 'utf8');
const diff = /```diff\n(.*?)```/s.exec(page)?.[1] ?? '';

/** The service after the change, as a module. */
async function changed(): Promise<{ AppModule: typeof AppModule }> {
  const path = join(folder, 'nestjs-service.ts');
  copyFileSync(join(root, 'test/newcomer/nestjs-service.ts'), path);
  // A repository above it would have git look for the file in its own root.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: join(root, '.cache') };
  execFileSync('git', ['apply', '-'], { cwd: folder, input: diff, env });
  return (await import(path)) as { AppModule: typeof AppModule };
}

class Table implements Users {
  reads = 0;
  #name = 'Ada';

  async find(): Promise<{ name: string }> {
    this.reads++;
    return { name: this.#name };
  }

  async rename(_id: string, name: string): Promise<void> {
    this.#name = name;
  }
}

it('is a change of fewer than ten lines', () => {
  const lines = diff.split('\n').filter((line) => /^[+-](?![+-]{2} )/.test(line));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThan(10);
});

it.each(Object.keys(platforms) as Platform[])(
  'gives a service on %s a coherent cache',
  async (platform) => {
    const { AppModule } = await changed();
    const users = new Table();
    const start = async (): Promise<string> => {
      const app = await NestFactory.create(AppModule.over(users), platforms[platform](), { logger: false });
      apps.push(app);
      await app.listen(0, '127.0.0.1');
      await app.get<Cache>(cacheToken()).ready({ timeout: '20s' });
      return app.getUrl();
    };
    const [here, there] = [await start(), await start()];
    const name = async (url: string, headers = {}): Promise<string> => {
      const answer = await fetch(`${url}/users/7`, { headers });
      return ((await answer.json()) as { name: string }).name;
    };
    expect([await name(here), await name(there)]).toEqual(['Ada', 'Ada']);
    const { reads } = users;
    expect([await name(here), await name(there)]).toEqual(['Ada', 'Ada']);
    expect(users.reads).toBe(reads); // from their caches
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'Grace' });
    const written = await fetch(`${here}/users/7`, { method: 'PUT', headers, body });
    const position = written.headers.get('tidemark-position') ?? '';
    expect(await name(there, { 'tidemark-position': position })).toBe('Grace');
    expect(await name(here)).toBe('Grace');
  },
  30_000,
);
