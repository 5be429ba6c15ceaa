import { EventEmitter } from 'node:events';
import express from 'express';
import { describe, expect, it, vi } from 'vitest';
import { createCache } from '../cache/cache.ts';
import { SESSION_HEADER } from '../cache/http-session.ts';
import { key } from '../coherence/target.ts';
import {
  Cached,
  CachePlan,
  type Container,
  cacheToken,
  decoratorsFor,
  type Finding,
  Invalidates,
  InvalidatesOn,
  queryOf,
  textLogger,
  useMiddleware,
} from './index.ts';

const logger = { debug() {}, info() {}, warn() {}, error() {} };
const emitter = new EventEmitter();
const finding: Finding<{ readonly instance: unknown; readonly scoped?: boolean }> = {
  lasts: ({ scoped }) => scoped !== true,
  resolve: (token) => (token === 'emitter' ? emitter : undefined),
};

class Users {
  @Cached({ name: 'users' })
  @InvalidatesOn('user.updated', (id: number) => key('users', id))
  async find(id: number): Promise<string> {
    return `user ${id}`;
  }
}

describe('CacheLife', () => {
  it('prepares what a container has, hears of events, and ends a cache that it made', async () => {
    const plan = await CachePlan.from(
      async (name: never) => ({ name, events: ['emitter'] }),
      undefined,
      logger,
    )('shop' as never);
    const cache = plan.makeCache();
    const life = plan.life(cache);
    const users = new Users();
    await life.start([{ instance: users }, { instance: undefined }, { instance: 'a value' }], finding);
    await users.find(1);
    emitter.emit('user.updated', 1);
    await vi.waitUntil(() => queryOf(users, 'find').peek(1) === undefined);
    await life.end();
    expect(emitter.listenerCount('user.updated')).toBe(0);
    await expect(cache.get('users:1')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('leaves a cache open that was handed to it, and ends at once where something is wrong', async () => {
    const cache = createCache({ name: 'shop' });
    const plan = new CachePlan({ cache }, undefined, logger);
    expect(plan.makeCache()).toBe(cache);
    await expect(plan.life(cache).start([{ instance: new Users() }], finding)).rejects.toThrow('"user.updated"');
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    await cache.close();

    const own = new CachePlan({ name: 'shop' }, undefined, logger);
    const made = own.makeCache();
    await expect(own.life(made).start([{ instance: new Users() }], finding)).rejects.toThrow('"user.updated"');
    await expect(made.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('refuses a class made for each request whose instances nobody gives a cache', async () => {
    class Orders {
      @Invalidates(() => key('orders'))
      async place(): Promise<void> {}
    }
    const shape: unknown = Orders.prototype;
    const plan = new CachePlan({ name: 'shop' }, undefined, logger);
    const life = plan.life(plan.makeCache());
    await expect(life.start([{ instance: shape, scoped: true }], finding)).rejects.toThrow(
      'Import those of the container',
    );
  });

  it('has requests be sessions of the usual cache, not of others, nor where it is told not to', async () => {
    const seen: string[] = [];
    for (const [as, sessions] of [[undefined], ['audit'], [undefined, false as const]] as const) {
      const plan = new CachePlan({ name: 'shop', ...(sessions === false && { sessions }) }, as, logger);
      const cache = plan.makeCache();
      const life = plan.life(cache);
      const app = express();
      life.beginSessions(app);
      app.get('/', (_request, response) => void response.send(cache.sessionToken() ?? 'none'));
      const server = app.listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      const headers = { [SESSION_HEADER]: `1.${'a'.repeat(16)}.5`, connection: 'close' };
      seen.push(await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text());
      await new Promise((resolve) => server.close(resolve));
      await life.end();
    }
    expect(seen).toEqual([`1.${'a'.repeat(16)}.5`, 'none', 'none']);
    const plan = new CachePlan({ name: 'shop' }, undefined, logger);
    const life = plan.life(plan.makeCache());
    expect(() => life.beginSessions({})).toThrow('neither addHook() nor use()');
    await life.end();
  });
});

describe('decoratorsFor', () => {
  it('has a container fill in the cache, also of what decorate never hears of, and names it in errors', async () => {
    const cache = createCache({ name: 'shop' });
    const injected: [object, string | symbol, string][] = [];
    const error = vi.fn();
    const container: Container = {
      name: 'Crate',
      inject:
        (token: string) =>
        (prototype: object, property: string | symbol | undefined): void =>
          void injected.push([prototype, property ?? '', token]),
      logger: { ...logger, error },
    };
    const set = decoratorsFor(container);
    class Orders {
      @set.InjectCache('audit')
      readonly audit!: unknown;

      @set.Invalidates(() => 1 as never)
      async place(): Promise<void> {}
    }
    expect(injected.map(([prototype, , token]) => [prototype, token])).toEqual([
      [Orders.prototype, cacheToken('audit')],
      [Orders.prototype, cacheToken()],
    ]);
    const orders = new Orders();
    await expect(orders.place()).rejects.toThrow('was not made by Crate');
    Object.assign(orders, { [injected[1]?.[1] ?? '']: cache });
    await orders.place();
    expect(error.mock.calls[0]?.[1]).toContain('everything is invalidated');
    await cache.close();
  });
});

describe('textLogger', () => {
  it('writes lines, with the error where there is one', () => {
    const [log, warn, error] = [vi.fn(), vi.fn(), vi.fn()];
    const lines = textLogger({ debug: log, log, warn, error });
    const err = new Error('broken');
    lines.debug({}, 'a');
    lines.info({ err }, 'b');
    lines.warn({ err }, 'c');
    lines.error({ err }, 'd');
    lines.error({}, 'e');
    expect([log, warn, error].map((it) => it.mock.calls)).toEqual([
      [['a'], ['b']],
      [['c (broken)']],
      [['d (broken)', err.stack], ['e']],
    ]);
  });
});

describe('useMiddleware', () => {
  it('runs around every message', async () => {
    const bus = { execute: async (message: object): Promise<unknown> => message };
    useMiddleware(bus, async (message, next) => ({ message, ran: await next() }) as never);
    expect(await bus.execute({ id: 1 })).toEqual({ message: { id: 1 }, ran: { id: 1 } });
  });
});
