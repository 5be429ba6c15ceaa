import { Controller, Get, Inject, type ModuleMetadata, Post } from '@nestjs/common';
import { type Cache, key } from 'tidemark';
import { Cached, cacheToken, Invalidates, TidemarkModule } from 'tidemark/nestjs';
import { redis } from 'tidemark/redis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Platform, platforms, type RunningApp, startNest } from '../servers/nest-app.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';

let server: RedisServer;
let running: RunningApp[] = [];
beforeEach(async () => {
  server = await startRedis();
});
afterEach(async () => {
  for (const { app } of running) await app.close();
  running = [];
  await server.stop();
});

/** The database of all instances. */
const counter = { value: 0, loads: 0 };

class Counter {
  @Cached({ name: 'counter' })
  async read(): Promise<number> {
    counter.loads++;
    return counter.value;
  }

  @Invalidates(() => key('counter'))
  async add(): Promise<number> {
    return ++counter.value;
  }
}

@Controller('counter')
class CounterController {
  readonly #counter: Counter;
  constructor(@Inject(Counter) of: Counter) {
    this.#counter = of;
  }

  @Get()
  read() {
    return this.#counter.read();
  }

  @Post()
  add() {
    return this.#counter.add();
  }
}

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const instance = (): ModuleMetadata => ({
  imports: [TidemarkModule.forRoot({ name: 'shop', logger, ...redis({ url: server.url }) })],
  providers: [Counter],
  controllers: [CounterController],
});

async function start(platform: Platform): Promise<RunningApp> {
  const it = await startNest(instance(), platform);
  running.push(it);
  return it;
}

const read = async ({ url }: RunningApp) => Number(await (await fetch(`${url}/counter`)).text());
const add = async ({ url }: RunningApp) => Number(await (await fetch(`${url}/counter`, { method: 'POST' })).text());
const cacheIn = ({ app }: RunningApp) => app.get<Cache>(cacheToken());

describe.each(Object.keys(platforms) as Platform[])('a NestJS application on %s', (platform) => {
  it('starts while Redis is down, answers from the source, and makes up for it when Redis is there', async () => {
    await server.kill();
    const [one, two] = [await start(platform), await start(platform)];
    expect(await read(one)).toBe(counter.value);
    expect(await add(one)).toBe(counter.value);
    expect(await read(one)).toBe(counter.value);
    expect(cacheIn(one).status()).toMatchObject({ attached: false, queued: 1 });

    await server.restart();
    await Promise.all([one, two].map((it) => cacheIn(it).ready({ timeout: '20s' })));
    await vi.waitUntil(() => cacheIn(one).status().queued === 0, { timeout: 20_000 });
    const before = counter.loads;
    await vi.waitUntil(async () => (await read(two)) === counter.value && (await read(two)) === counter.value);
    expect(counter.loads - before).toBeLessThanOrEqual(2);
  }, 60_000);

  it("has instances that share values, and see each other's changes", async () => {
    const [one, two] = [await start(platform), await start(platform)];
    await Promise.all([one, two].map((it) => cacheIn(it).ready()));
    for (let round = 0; round < 20; round++) {
      const written = await add(one);
      expect(await read(one)).toBe(written);
      await vi.waitUntil(async () => (await read(two)) === written, { interval: 1 });
    }
  }, 30_000);
});
