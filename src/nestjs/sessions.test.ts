import { Body, type CanActivate, Controller, Get, Param, Post, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { moduleOf, type Platform, platforms, type RunningApp, startNest } from '../../test/servers/nest-app.ts';
import { type Cache, createCache } from '../cache/cache.ts';
import { SESSION_HEADER } from '../cache/http-session.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { key } from '../coherence/target.ts';
import { cacheToken, InjectCache, TidemarkModule } from './index.ts';

let running: RunningApp | undefined;
afterEach(async () => {
  await running?.app.close();
  running = undefined;
});

/** The token of the request that is answered, as each part of its way sees it. */
class Guard implements CanActivate {
  static seen: unknown;
  readonly #cache: Cache;
  constructor(@InjectCache() cache: Cache) {
    this.#cache = cache;
  }

  canActivate(): boolean {
    Guard.seen = this.#cache.sessionToken();
    return true;
  }
}

@Controller()
@UseGuards(Guard)
class Things {
  readonly #cache: Cache;
  constructor(@InjectCache() cache: Cache) {
    this.#cache = cache;
  }

  @Get('seen')
  seen() {
    return { guard: Guard.seen, handler: this.#cache.sessionToken() };
  }

  @Post('seen')
  async seenAfterBody(@Body() body: object) {
    await Promise.resolve();
    return { body, guard: Guard.seen, handler: this.#cache.sessionToken() };
  }

  @Post('things/:id')
  async change(@Param('id') id: string) {
    await this.#cache.invalidate(key('things', id));
    if (id === 'broken') throw new Error('after the write');
    return {};
  }
}

const token = `1.${'a'.repeat(16)}.5`;

describe.each(Object.keys(platforms) as Platform[])('a request on %s', (platform) => {
  const ask = async (path: string, init: RequestInit = {}) => fetch(`${running?.url}/${path}`, init);
  const sent = { [SESSION_HEADER]: token };
  beforeEach(async () => {
    Guard.seen = undefined;
  });
  const start = async (sessions?: false): Promise<void> => {
    const imports = [TidemarkModule.forRoot({ name: 'shop', ...(sessions === false && { sessions }) })];
    running = await startNest({ imports, controllers: [Things] }, platform);
  };

  it('is a session from guard to handler, whose token goes out as it came in', async () => {
    await start();
    const answer = await ask('seen', { headers: sent });
    expect(await answer.json()).toEqual({ guard: token, handler: token });
    expect(answer.headers.get(SESSION_HEADER)).toBe(token);
    expect((await ask('seen')).headers.get(SESSION_HEADER)).toBe(null);
  });

  it('is one also after its body was read', async () => {
    await start();
    const body = JSON.stringify({ text: 'x'.repeat(90_000) });
    const answer = await ask('seen', {
      method: 'POST',
      body,
      headers: { ...sent, 'content-type': 'application/json' },
    });
    expect(await answer.json()).toMatchObject({ guard: token, handler: token });
  });

  it('tells the client of what it has written, also where it fails afterwards', async () => {
    await start();
    const mark = () => running?.app.get<Cache>(cacheToken()).mark();
    const answer = await ask('things/1', { method: 'POST' });
    expect([answer.status, answer.headers.get(SESSION_HEADER)]).toEqual([201, mark()]);
    const failed = await ask('things/broken', { method: 'POST' });
    expect([failed.status, failed.headers.get(SESSION_HEADER)]).toEqual([500, mark()]);
  });

  it('may be none', async () => {
    await start(false);
    const answer = await ask('seen', { headers: sent });
    expect(await answer.json()).toEqual({});
    expect(answer.headers.get(SESSION_HEADER)).toBe(null);
  });
});

it('is a session in an application made for a test, whose cache may be replaced', async () => {
  const cache = createCache({ name: 'test', log: memoryLog() });
  const imports = [TidemarkModule.forRoot({ name: 'shop' })];
  const compiled = await Test.createTestingModule({ imports: [moduleOf({ imports, controllers: [Things] })] })
    .overrideProvider(cacheToken())
    .useValue(cache)
    .compile();
  const app = compiled.createNestApplication();
  await app.listen(0, '127.0.0.1');
  running = { app, url: await app.getUrl() };
  const answer = await fetch(`${running.url}/seen`, { headers: { [SESSION_HEADER]: token } });
  expect(await answer.json()).toEqual({ guard: token, handler: token });
});

it('needs no HTTP', async () => {
  const compiled = await Test.createTestingModule({ imports: [TidemarkModule.forRoot({ name: 'shop' })] }).compile();
  await compiled.init();
  expect(await compiled.get<Cache>(cacheToken()).getOrSet('a', () => 1)).toBe(1);
  await compiled.close();
});
