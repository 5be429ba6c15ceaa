import { Controller, Get, Inject, type ModuleMetadata, Param, Scope } from '@nestjs/common';
import { REQUEST, ModuleRef } from '@nestjs/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNest, startNest } from '../../test/servers/nest-app.ts';
import type { Cache } from '../cache/cache.ts';
import { key, tag } from '../coherence/target.ts';
import { Cached, cacheToken, Invalidates, queryOf, TidemarkModule } from './index.ts';

let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const it of close.toReversed()) await it();
  close = [];
});

const cached = TidemarkModule.forRoot.bind(TidemarkModule, { name: 'shop' });

async function start(metadata: ModuleMetadata) {
  const running = await startNest({ ...metadata, imports: [cached(), ...(metadata.imports ?? [])] });
  close.push(() => running.app.close());
  return running;
}

async function refuse(metadata: ModuleMetadata) {
  const app = await createNest({ ...metadata, imports: [cached()] });
  const error: unknown = await app.init().catch((it: unknown) => it);
  const cache = app.get<Cache>(cacheToken());
  await expect(cache.get('any')).rejects.toMatchObject({ code: 'CLOSED' });
  await app.close();
  return error;
}

const load = vi.fn(async (...args: unknown[]): Promise<unknown> => `loaded ${args.join(' ')}`);
afterEach(() => void load.mockClear());

class Reports {
  @Cached({ name: 'reports:month', tags: (orgId: string) => [`org:${orgId}`] })
  async month(orgId: string, period?: string): Promise<unknown> {
    return load(orgId, period);
  }

  @Cached({ key: (filter: { org: string; page: number }) => [filter.org, filter.page] })
  async search(filter: { org: string; page: number }): Promise<unknown> {
    return load(filter.org, filter.page);
  }

  async plain(): Promise<void> {}
}

describe('@Cached', () => {
  it('is a query: one load for many readers, arguments as its key, tags, and falsy values', async () => {
    const { app } = await start({ providers: [Reports] });
    const reports = app.get(Reports);
    const cache = app.get<Cache>(cacheToken());
    const answers = await Promise.all(Array.from({ length: 20 }, () => reports.month('ORG1', '2025-11')));
    expect([...new Set(answers)]).toEqual(['loaded ORG1 2025-11']);
    expect(load).toHaveBeenCalledTimes(1);
    await reports.month('ORG2');
    expect(await cache.get('reports:month:ORG2')).toBe('loaded ORG2 ');

    await cache.invalidate(tag('org:ORG1'));
    await reports.month('ORG1', '2025-11');
    await reports.month('ORG2');
    expect(load).toHaveBeenCalledTimes(3);

    load.mockResolvedValueOnce(0);
    expect([await reports.month('ORG3'), await reports.month('ORG3')]).toEqual([0, 0]);
    expect(load).toHaveBeenCalledTimes(4);
  });

  it('never gives a reader who came after an invalidation what was loaded before it', async () => {
    const { app } = await start({ providers: [Reports] });
    const reports = app.get(Reports);
    let finish = (_value: string): void => {};
    load.mockReturnValueOnce(new Promise((resolve) => (finish = resolve)));
    const first = reports.month('ORG1');
    await vi.waitUntil(() => load.mock.calls.length === 1);
    await app.get<Cache>(cacheToken()).invalidate(queryOf(reports, 'month').at('ORG1'));
    const second = reports.month('ORG1');
    finish('old');
    expect(await first).toBe('old');
    expect(await second).toBe('loaded ORG1 ');
    expect(await reports.month('ORG1')).toBe('loaded ORG1 ');
  });

  it('passes on what the method throws, and keeps nothing of it', async () => {
    const { app } = await start({ providers: [Reports] });
    load.mockRejectedValueOnce(new RangeError('no such month'));
    await expect(app.get(Reports).month('ORG1')).rejects.toThrow(RangeError);
    expect(await app.get(Reports).month('ORG1')).toBe('loaded ORG1 ');
  });

  it('names its query after the class and the method, and takes a key', async () => {
    const { app } = await start({ providers: [Reports] });
    const search = queryOf(app.get(Reports), 'search');
    expect(search.path).toBe('Reports:search');
    await app.get(Reports).search({ org: 'ORG1', page: 2 });
    expect(await app.get<Cache>(cacheToken()).get(['Reports', 'search', 'ORG1', 2])).toBe('loaded ORG1 2');
  });

  it('gives its query', async () => {
    const { app } = await start({ providers: [Reports] });
    const reports = app.get(Reports);
    const month = queryOf(reports, 'month');
    expect(month.peek('ORG1')).toBe(undefined);
    expect(await month.many([['ORG1'], ['ORG2', '2025-11']])).toEqual(['loaded ORG1 ', 'loaded ORG2 2025-11']);
    expect(month.peek('ORG1')).toBe('loaded ORG1 ');
    expect(await month.read('ORG1')).toMatchObject({ from: 'memory' });
    expect(await month.with({ enabled: false }).read('ORG1')).toMatchObject({ from: 'loader' });
    const cache = app.get<Cache>(cacheToken());
    expect(await cache.consistent([month.request('ORG1')])).toEqual(['loaded ORG1 ']);
    expect(month.at()).toEqual(key('reports:month'));
    expect(month.at('ORG1')).toEqual(key(['reports', 'month', 'ORG1']));
    expect(() => queryOf(reports, 'plain')).toThrow('Reports.plain is not cached. Put @Cached() on it.');
  });

  it('runs the method of an instance that Nest has not made', async () => {
    const reports = new Reports();
    await reports.month('ORG1');
    await reports.month('ORG1');
    expect(load).toHaveBeenCalledTimes(2);
    expect(() => queryOf(reports, 'month')).toThrow('was not made by Nest');
  });

  it('has its cache in what a factory has made, too', async () => {
    const { app } = await start({ providers: [{ provide: 'REPORTS', useFactory: () => new Reports() }] });
    const reports = app.get<Reports>('REPORTS');
    await reports.month('ORG1');
    await reports.month('ORG1');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('leaves what other decorators said about the method', async () => {
    @Controller()
    class Route {
      @Cached()
      @Get('months/:org')
      async month(@Param('org') org: string): Promise<unknown> {
        return load(org);
      }
    }
    const { url } = await start({ controllers: [Route] });
    const get = async (): Promise<string> => (await fetch(`${url}/months/ORG1`)).text();
    expect([await get(), await get()]).toEqual(['loaded ORG1', 'loaded ORG1']);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('keeps apart what classes inherit from one parent', async () => {
    abstract class Repository {
      abstract readonly table: string;

      @Cached()
      async find(id: number): Promise<string> {
        return `${this.table} ${id}`;
      }
    }
    class Users extends Repository {
      readonly table = 'users';
    }
    class Orders extends Repository {
      readonly table = 'orders';
    }
    const { app } = await start({ providers: [Users, Orders] });
    expect([await app.get(Users).find(1), await app.get(Orders).find(1)]).toEqual(['users 1', 'orders 1']);
    expect(queryOf(app.get(Orders), 'find').path).toBe('Orders:find');
  });

  it('reads as a subclass says that caches the method again', async () => {
    class Yearly extends Reports {
      @Cached({ name: 'yearly' })
      override async month(orgId: string): Promise<unknown> {
        return load('year', orgId);
      }
    }
    const { app } = await start({ providers: [Yearly] });
    expect(await app.get(Yearly).month('ORG1')).toBe('loaded year ORG1');
    expect(queryOf(app.get(Yearly), 'month').path).toBe('yearly');
  });
});

describe('a class with several instances', () => {
  class Tenant {
    readonly name: string;
    constructor(@Inject(REQUEST) request: { headers: Record<string, string> }) {
      this.name = request.headers['x-tenant'] ?? '';
    }
  }
  const ofTenant = <S extends { tenant: Tenant }>(options: { instance?: (self: S) => readonly unknown[] }) => {
    class OfTenant {
      readonly tenant: Tenant;
      constructor(@Inject(Tenant) tenant: Tenant) {
        this.tenant = tenant;
      }

      @Cached<[], OfTenant>(options as never)
      async budget(): Promise<unknown> {
        return load(this.tenant.name);
      }
    }
    @Controller('budget')
    class Budgets {
      readonly #service: OfTenant;
      constructor(@Inject(OfTenant) service: OfTenant) {
        this.#service = service;
      }

      @Get()
      budget() {
        return this.#service.budget();
      }
    }
    return {
      providers: [OfTenant, { provide: Tenant, useClass: Tenant, scope: Scope.REQUEST }],
      controllers: [Budgets],
    };
  };

  it('is refused at the start, unless it says what its values depend on', async () => {
    expect(await refuse(ofTenant({}))).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(
        /^"OfTenant.budget" is cached, and its class has several instances.*@Cached\(\{ instance:/,
      ),
    });
  });

  it('has its values apart for each request that differs, and shared by those that do not', async () => {
    const { url } = await start(ofTenant<{ tenant: Tenant }>({ instance: (self) => [self.tenant.name] }));
    const get = async (tenant: string) => (await fetch(`${url}/budget`, { headers: { 'x-tenant': tenant } })).text();
    expect([await get('a'), await get('b'), await get('a'), await get('b')]).toEqual([
      'loaded a',
      'loaded b',
      'loaded a',
      'loaded b',
    ]);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('is refused where it is provided twice, or made later', async () => {
    const twice = { providers: [Reports, { provide: 'AGAIN', useClass: Reports }] };
    expect(await refuse(twice)).toMatchObject({ code: 'INVALID_OPTION' });
    const { app } = await start({ providers: [Reports] });
    const later = await app.get(ModuleRef).create(Reports);
    await expect(later.month('ORG1')).rejects.toThrow('several instances');
  });

  it('may share everything', async () => {
    class Stateless {
      @Cached({ instance: () => [] })
      async find(id: string): Promise<unknown> {
        return load(id);
      }
    }
    const { app } = await start({ providers: [{ provide: Stateless, useClass: Stateless, scope: Scope.TRANSIENT }] });
    const [one, two] = [await app.resolve(Stateless), await app.resolve(Stateless)];
    expect(one).not.toBe(two);
    await one.find('1');
    await two.find('1');
    expect(load).toHaveBeenCalledTimes(1);
    expect(queryOf(one, 'find').at('1')).toEqual(key(['Stateless', 'find', '1']));
  });
});

describe('the application does not start', () => {
  it.each([
    ['a wrong duration', { ttl: 'soon' }, 'INVALID_OPTION'],
    ['an unknown option', { tll: '5m' }, 'INVALID_OPTION'],
    ['a name above that of another query', { name: 'reports' }, 'INVALID_QUERY'],
  ])('with %s', async (_what, options, code) => {
    class Wrong {
      @Cached(options as object)
      async find(): Promise<void> {}
    }
    expect(await refuse({ providers: [Reports, Wrong] })).toMatchObject({ code });
  });
});

describe('@Invalidates', () => {
  class Budgets {
    @Invalidates(([orgId]: [string], result: number) => (result > 0 ? key('reports:month', orgId) : undefined))
    async set(orgId: string, budget: number): Promise<number> {
      if (budget < 0) throw new RangeError('negative');
      return budget;
    }

    @Invalidates(() => {
      throw new Error('a rule that is wrong');
    })
    async broken(): Promise<string> {
      return 'done';
    }
  }

  it('invalidates after success, what the arguments and the result say, before its caller goes on', async () => {
    const { app } = await start({ providers: [Reports, Budgets] });
    const { month } = { month: queryOf(app.get(Reports), 'month') };
    const budgets = app.get(Budgets);
    const seen: unknown[] = [];
    app.get<Cache>(cacheToken()).on((event) => event.type === 'invalidated' && seen.push(event.cause));
    await month('ORG1');
    await month('ORG2');

    await expect(budgets.set('ORG1', -1)).rejects.toThrow(RangeError);
    expect(await budgets.set('ORG1', 0)).toBe(0);
    expect(month.peek('ORG1')).toBe('loaded ORG1 ');

    expect(await budgets.set('ORG1', 5)).toBe(5);
    expect([month.peek('ORG1'), month.peek('ORG2')]).toEqual([undefined, 'loaded ORG2 ']);
    expect(seen).toEqual([{ event: 'Budgets.set' }]);
  });

  it('never fails its caller: without targets everything goes, and the log says why', async () => {
    const { app } = await start({ providers: [Reports, Budgets] });
    const error = vi.fn();
    app.useLogger({ log() {}, warn() {}, error });
    const month = queryOf(app.get(Reports), 'month');
    await month('ORG1');
    expect(await app.get(Budgets).broken()).toBe('done');
    expect(month.peek('ORG1')).toBe(undefined);
    expect(error.mock.calls[0]?.[0]).toContain('everything is invalidated');

    await app.get<Cache>(cacheToken()).close();
    expect(await app.get(Budgets).set('ORG1', 5)).toBe(5);
    expect(error.mock.calls[1]?.[0]).toContain('may be served in its old form');
    app.useLogger(false);
  });

  it('does not run without a cache', async () => {
    await expect(new Budgets().set('ORG1', 5)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });
});
