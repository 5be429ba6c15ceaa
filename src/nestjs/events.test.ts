import { EventEmitter } from 'node:events';
import { Injectable, type ModuleMetadata } from '@nestjs/common';
import { CqrsModule, EventBus } from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNest, startNest } from '../../test/servers/nest-app.ts';
import type { Cache } from '../cache/cache.ts';
import { key, tag } from '../coherence/target.ts';
import { Cached, type CacheSettings, cacheToken, InvalidatesOn, queryOf, TidemarkModule } from './index.ts';

/** What a registration says about events. */
type Listening = Pick<CacheSettings, 'events'>;

let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const it of close.toReversed()) await it();
  close = [];
});

class UserUpdated {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}
class UserRenamed extends UserUpdated {}
class OrderPlaced {
  readonly orderId = 1;
}

class Users {
  @Cached({ name: 'users', tags: () => ['people'] })
  @InvalidatesOn('user.updated', (event: { id: number }) => key('users', event.id))
  async find(id: number): Promise<string> {
    return `user ${id}`;
  }
}

@Injectable()
class UsersByClass {
  @Cached({ name: 'users' })
  @InvalidatesOn(UserUpdated, (event) => key('users', event.id))
  async find(id: number): Promise<string> {
    return `user ${id}`;
  }
}

/** Says what it would, for whoever else is cached. */
@InvalidatesOn('user.imported', () => tag('people'))
class People {}

function metadata(more: ModuleMetadata, settings: Listening): ModuleMetadata {
  return {
    ...more,
    imports: [...(more.imports ?? []), TidemarkModule.forRoot({ name: 'shop', ...settings })],
  };
}

async function start(more: ModuleMetadata, settings: Listening) {
  const { app } = await startNest(metadata(more, settings));
  close.push(() => app.close());
  return app;
}

const emitters = { imports: [EventEmitterModule.forRoot()] };
const buses = { imports: [CqrsModule] };

describe('@InvalidatesOn', () => {
  it('hears of the events of an emitter, by their name', async () => {
    const app = await start({ ...emitters, providers: [Users, People] }, { events: [EventEmitter2] });
    const users = queryOf(app.get(Users), 'find');
    await users.many([[1], [2]]);
    const emitter = app.get(EventEmitter2);

    emitter.emit('user.updated', { id: 1 });
    await vi.waitUntil(() => users.peek(1) === undefined);
    expect(users.peek(2)).toBe('user 2');

    emitter.emit('user.imported');
    await vi.waitUntil(() => users.peek(2) === undefined);
  });

  it('hears of the events of a CQRS bus, by their class and those it extends', async () => {
    const app = await start({ ...buses, providers: [UsersByClass] }, { events: [EventBus] });
    const users = queryOf(app.get(UsersByClass), 'find');
    await users.many([[1], [2]]);
    const seen: unknown[] = [];
    app.get<Cache>(cacheToken()).on((event) => {
      if (event.type === 'invalidated') seen.push(event.cause);
    });

    app.get(EventBus).publish(new OrderPlaced());
    app.get(EventBus).publish(new UserUpdated(1));
    await vi.waitUntil(() => users.peek(1) === undefined);
    app.get(EventBus).publish(new UserRenamed(2));
    await vi.waitUntil(() => users.peek(2) === undefined);
    expect(seen).toEqual([{ event: 'UserUpdated' }, { event: 'UserRenamed' }]);
  });

  it('invalidates everything where a rule fails, and the log says so', async () => {
    class Broken {
      @Cached({ name: 'broken' })
      @InvalidatesOn('broken', () => {
        throw new Error('a rule that is wrong');
      })
      async find(): Promise<string> {
        return 'kept';
      }
    }
    const app = await start({ ...emitters, providers: [Broken] }, { events: [EventEmitter2] });
    const lines: string[] = [];
    const write = (message: unknown): void => void lines.push(String(message));
    app.useLogger({ log: write, warn: write, error: write });
    const broken = queryOf(app.get(Broken), 'find');
    await broken();
    app.get(EventEmitter2).emit('broken', {});
    await vi.waitUntil(() => broken.peek() === undefined, { timeout: 9_000 });
    expect(lines.join('\n')).toContain('a rule that is wrong');
    app.useLogger(false);
  }, 15_000);

  it('has handled what was emitted when the application has ended, and hears nothing after it', async () => {
    // One that nobody else takes its listeners from.
    const emitter = new EventEmitter();
    const app = await start({ providers: [Users, { provide: 'BUS', useValue: emitter }] }, { events: ['BUS'] });
    const heard = vi.fn();
    app.get<Cache>(cacheToken()).on((event) => {
      if (event.type === 'invalidated') heard(event.targets);
    });
    const closing = app.close();
    emitter.emit('user.updated', { id: 1 });
    await closing;
    expect(heard.mock.calls).toEqual([[[key('users', 1)]]]);
    expect(emitter.listenerCount('user.updated')).toBe(0);
  });

  it.each([
    ['a name without an emitter', { ...buses, providers: [Users] }, { events: [EventBus] }, '"user.updated"'],
    ['a class without a bus', { ...emitters, providers: [UsersByClass] }, { events: [EventEmitter2] }, '"UserUpdated"'],
    ['nothing to listen on', { providers: [Users] }, {}, 'forRoot({ events: [EventEmitter2] })'],
    ['something else to listen on', { providers: [Users] }, { events: [Users] }, 'neither an event emitter nor'],
  ])('fails the start of the application for %s', async (_what, more, settings, message) => {
    const app = await createNest(metadata(more, settings));
    await expect(app.init()).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
    await app.close();
  });
});
