import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { root } from '../docs/workshop.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { Database } from './database.ts';
import { diffOf } from './diff.ts';

// What docs/frameworks.md tells somebody who has a service: applied to one, and run in two instances on a Redis.

let server: RedisServer;
let folder: string;
const closing: (() => Promise<void>)[] = [];
beforeEach(async () => {
  server = await startRedis();
  vi.stubEnv('REDIS_URL', server.url);
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache', 'newcomer-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(folder, { recursive: true });
  await server.stop();
});

/** The service with its cache, as a module. */
async function changed<M>(file: string): Promise<M> {
  const diff = diffOf(join(root, 'docs/frameworks.md'), file);
  expect(diff.changed).toBeLessThan(10);
  const path = join(folder, file);
  writeFileSync(path, diff.apply(readFileSync(join(root, 'test/newcomer', file), 'utf8')));
  return (await import(path)) as M;
}

/** Starts an instance over a database, and tells its address. */
type Start = (db: Database) => Promise<string>;

async function onFastify(): Promise<Start> {
  const { createApp } = await changed<{ createApp: (db: Database) => Promise<FastifyInstance> }>('fastify-service.ts');
  return async (db) => {
    const app = await createApp(db);
    closing.push(() => app.close());
    return app.listen({ port: 0, host: '127.0.0.1' });
  };
}

async function onExpress(): Promise<Start> {
  const { serve } = await changed<{ serve: (db: Database, port: number) => Server }>('express-service.ts');
  return async (db) => {
    const listening = serve(db, 0);
    await once(listening, 'listening');
    closing.push(async () => {
      const closed = once(listening, 'close');
      listening.close();
      listening.closeAllConnections();
      await closed;
    });
    return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  };
}

it.each([
  ['Fastify', onFastify],
  ['Express', onExpress],
])(
  'a service on %s has a coherent cache after a change of fewer than ten lines',
  async (_name, prepare) => {
    const start = await prepare();
    const db = new Database();
    const [here, there] = [await start(db), await start(db)];
    const name = async (url: string, headers = {}): Promise<string> => {
      const answer = await fetch(`${url}/users/7`, { headers });
      return ((await answer.json()) as { name: string }).name;
    };
    const fromTheirCaches = async (): Promise<void> => {
      const { reads } = db;
      expect(await name(here)).toBe('Ada');
      expect(await name(there)).toBe('Ada');
      expect(db.reads).toBe(reads);
    };
    await vi.waitFor(fromTheirCaches, { timeout: 10_000 });
    const body = JSON.stringify({ name: 'Grace' });
    const headers = { 'content-type': 'application/json' };
    const written = await fetch(`${here}/users/7`, { method: 'PUT', headers, body });
    const position = written.headers.get('tidemark-position') ?? '';
    expect(await name(there, { 'tidemark-position': position })).toBe('Grace');
    expect(await name(here)).toBe('Grace');
  },
  30_000,
);
