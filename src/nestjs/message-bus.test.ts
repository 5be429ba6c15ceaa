import { CommandBus, CommandHandler, CqrsModule, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { Inject, Module } from '@nestjs/common';
import { afterEach, expect, it } from 'vitest';
import { type RunningApp, startNest } from '../../test/servers/nest-app.ts';
import type { Cache } from '../cache/cache.ts';
import { key, pattern } from '../coherence/target.ts';
import { commandInvalidation, onCommand, queryCache } from '../events/index.ts';
import { Cached, cacheToken, InjectCache, Invalidates, TidemarkModule, useMiddleware } from './index.ts';

let app: RunningApp['app'] | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

class RenameUser {
  readonly id: number;
  readonly name: string;
  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }
}
class FindUser {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}

const rows = new Map([[1, 'Ada']]);

function rename({ id, name }: RenameUser): string {
  if (name === '') throw new RangeError('a name has letters');
  rows.set(id, name);
  return name;
}

it('has commands of CQRS invalidate once they have succeeded', async () => {
  @CommandHandler(RenameUser)
  class RenameUserHandler {
    async execute(command: RenameUser): Promise<string> {
      return rename(command);
    }
  }
  @Module({ imports: [CqrsModule, TidemarkModule.forRoot({ name: 'shop' })], providers: [RenameUserHandler] })
  class AppModule {
    constructor(@InjectCache() cache: Cache, @Inject(CommandBus) commands: CommandBus) {
      const rules = [onCommand(RenameUser, ({ id }) => key('users', id))];
      useMiddleware(commands, commandInvalidation(cache, rules, { logger: console }));
    }
  }
  ({ app } = await startNest({ imports: [AppModule] }));
  const cache = app.get<Cache>(cacheToken());
  const commands = app.get(CommandBus);
  const read = () => cache.getOrSet(['users', 1], () => rows.get(1));
  expect(await read()).toBe('Ada');

  await expect(commands.execute(new RenameUser(1, ''))).rejects.toThrow(RangeError);
  expect(await cache.get(['users', 1])).toBe('Ada');

  expect(await commands.execute(new RenameUser(1, 'Grace'))).toBe('Grace');
  expect(await read()).toBe('Grace');
  await expect(commands.execute(new FindUser(1))).rejects.toThrow('FindUser');
});

it('has queries of CQRS answered from the cache', async () => {
  let runs = 0;
  @QueryHandler(FindUser)
  class FindUserHandler {
    async execute({ id }: FindUser): Promise<string | undefined> {
      runs++;
      return rows.get(id);
    }
  }
  @Module({ imports: [CqrsModule, TidemarkModule.forRoot({ name: 'shop' })], providers: [FindUserHandler] })
  class AppModule {
    constructor(@InjectCache() cache: Cache, @Inject(QueryBus) queries: QueryBus) {
      useMiddleware(queries, queryCache(cache, { all: true, logger: console }));
    }
  }
  ({ app } = await startNest({ imports: [AppModule] }));
  rows.set(1, 'Ada');
  const queries = app.get(QueryBus);
  const find = (id: number) => queries.execute<FindUser, string>(new FindUser(id));
  expect(await Promise.all([find(1), find(1), find(2)])).toEqual(['Ada', 'Ada', undefined]);
  expect(runs).toBe(2);
  await app.get<Cache>(cacheToken()).invalidate(pattern('query_cache:*FindUser*:*1*'));
  rows.set(1, 'Grace');
  expect(await find(1)).toBe('Grace');
});

it('runs the middleware given last outermost, and passes the context on', async () => {
  const seen: unknown[] = [];
  const bus = { execute: async (...args: unknown[]): Promise<unknown> => seen.push(args) };
  useMiddleware(bus, async (_message, next) => {
    seen.push('inner');
    return next();
  });
  useMiddleware(bus, async (_message, next) => {
    seen.push('outer');
    return next();
  });
  const message = new FindUser(1);
  expect(await bus.execute(message, 'context')).toBe(3);
  expect(seen).toEqual(['outer', 'inner', [message, 'context']]);
});

it('may stand on the handlers instead, by decorators', async () => {
  @CommandHandler(RenameUser)
  class RenameUserHandler {
    @Invalidates(([{ id }]: [RenameUser]) => key('users', id))
    async execute(command: RenameUser): Promise<string> {
      return rename(command);
    }
  }
  @QueryHandler(FindUser)
  class FindUserHandler {
    @Cached({ name: 'users', key: ({ id }: FindUser) => [id] })
    async execute({ id }: FindUser): Promise<string | undefined> {
      return rows.get(id);
    }
  }
  ({ app } = await startNest({
    imports: [CqrsModule, TidemarkModule.forRoot({ name: 'shop' })],
    providers: [RenameUserHandler, FindUserHandler],
  }));
  const [commands, queries] = [app.get(CommandBus), app.get(QueryBus)];
  const find = () => queries.execute<FindUser, string>(new FindUser(1));
  rows.set(1, 'Ada');
  await find();
  rows.set(1, 'unseen');
  expect(await find()).toBe('Ada');
  await commands.execute(new RenameUser(1, 'Grace'));
  expect(await find()).toBe('Grace');
});
