import { EventEmitter } from 'node:events';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cache, createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { decorate, type DecorateOptions } from './decorate.ts';
import { Cached, Invalidates, InvalidatesOn, queryOf } from './index.ts';

let cache: Cache;
beforeEach(() => {
  cache = createCache({ name: 'shop' });
});
afterEach(() => cache.close());

const logger = { debug() {}, info() {}, warn() {}, error: vi.fn() };
afterEach(() => void logger.error.mockReset());

class UserRenamed {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}

class Users {
  readonly rows = new Map([[1, 'Ada']]);
  reads = 0;

  @Cached({ name: 'users', ttl: '5m' })
  @InvalidatesOn('user.imported', (event: { id: number }) => key('users', event.id))
  async find(id: number): Promise<string | undefined> {
    this.reads++;
    return this.rows.get(id);
  }

  @Invalidates(([id]: [number]) => key('users', id))
  async rename(id: number, name: string): Promise<void> {
    this.rows.set(id, name);
  }
}

class Plain {
  reads = 0;

  @Cached({ name: 'plain' })
  async find(id: number): Promise<string> {
    this.reads++;
    return `plain ${id}`;
  }

  @Invalidates(() => {
    throw new Error('a rule that is wrong');
  })
  async broken(): Promise<string> {
    return 'done';
  }
}

@InvalidatesOn(UserRenamed, ({ id }) => key('plain', id))
class Listener {}

class OfTenant {
  readonly tenant: string;
  constructor(tenant: string) {
    this.tenant = tenant;
  }

  @Cached({ name: 'orders', instance: (self: OfTenant) => [self.tenant] })
  async open(): Promise<string> {
    return `orders of ${this.tenant}`;
  }
}

describe('decorate', () => {
  it('gives instances of plain classes a cache; before, methods that read just run and others are refused', async () => {
    const users = new Users();
    await users.find(1);
    await users.find(1);
    expect(users.reads).toBe(2);
    await expect(users.rename(1, 'Grace')).rejects.toThrow('"Users.rename" has no cache');
    expect(users.rows.get(1)).toBe('Ada');
    expect(() => queryOf(users, 'find')).toThrow('decorate([instance], { cache })');

    const decorated = decorate([users], { cache, events: [new EventEmitter()], logger });
    expect([await users.find(1), await users.find(1)]).toEqual(['Ada', 'Ada']);
    expect(users.reads).toBe(3);
    await users.rename(1, 'Grace');
    expect(await users.find(1)).toBe('Grace');
    await decorated.close();
  });

  it('hears of events by name and by class, until it is closed, and has handled then what was emitted', async () => {
    const [emitter, bus] = [new EventEmitter(), new Subject<unknown>()];
    const [users, plain] = [new Users(), new Plain()];
    const decorated = decorate([users, plain, new Listener()], { cache, events: [emitter, bus], logger });
    expect(decorated.connections).toHaveLength(2);
    const [find, ofPlain] = [queryOf(users, 'find'), queryOf(plain, 'find')];
    await find.many([[1], [2]]);
    await ofPlain.many([[1], [2]]);

    emitter.emit('user.imported', { id: 1 });
    await vi.waitUntil(() => find.peek(1) === undefined);
    bus.next(new UserRenamed(2));
    await vi.waitUntil(() => ofPlain.peek(2) === undefined);
    expect(ofPlain.peek(1)).toBe('plain 1');

    await find(1);
    expect(find.peek(1)).toBe('Ada');
    emitter.emit('user.imported', { id: 1 });
    await decorated.close({ drain: '1s' });
    expect(find.peek(1)).toBe(undefined);
    expect(emitter.listenerCount('user.imported')).toBe(0);
    expect(bus.observed).toBe(false);
  });

  it('takes instances that are made later, by tenant', async () => {
    const decorated = decorate([], { cache, classes: [OfTenant] });
    const [a, b] = [decorated.add(new OfTenant('a')), decorated.add(new OfTenant('b'))];
    expect([await a.open(), await b.open()]).toEqual(['orders of a', 'orders of b']);
    expect(await cache.get(['orders', 'b'])).toBe('orders of b');
    expect(decorated.add(new OfTenant('a'))).toBeInstanceOf(OfTenant);
  });

  it('puts another cache in the place of one that has ended', async () => {
    const plain = new Plain();
    const before = createCache({ name: 'before' });
    await decorate([plain], { cache: before, logger }).close();
    await before.close();
    decorate([plain], { cache, logger });
    await plain.find(1);
    expect(await cache.get(['plain', 1])).toBe('plain 1');
  });

  it('keeps to the methods of one cache, where there are several', async () => {
    class Two {
      @Cached({ name: 'usual' })
      async usual(): Promise<string> {
        return 'usual';
      }

      @Cached({ name: 'other', cache: 'audit' })
      async other(): Promise<string> {
        return 'other';
      }
    }
    const two = new Two();
    const audit = createCache({ name: 'audit' });
    decorate([two], { cache });
    expect(() => queryOf(two, 'other')).toThrow('has no cache');
    decorate([two], { cache: audit, as: 'audit' });
    expect([await two.usual(), await two.other()]).toEqual(['usual', 'other']);
    expect([await cache.get('other'), await audit.get('other')]).toEqual([undefined, 'other']);
    await audit.close();
  });

  it('tells the logger of targets that cannot be worked out, and invalidates everything', async () => {
    const plain = new Plain();
    decorate([plain], { cache, logger });
    await plain.find(1);
    expect(await plain.broken()).toBe('done');
    expect(queryOf(plain, 'find').peek(1)).toBe(undefined);
    expect(logger.error.mock.calls).toEqual([
      [{ err: expect.any(Error) }, expect.stringContaining('@Invalidates of Plain.broken: its targets')],
    ]);
  });

  const wrong: [string, readonly unknown[], object, string][] = [
    ['a class instead of an instance', [Users], {}, '"Users" is a class'],
    ['no instance', [undefined], {}, 'undefined is no instance'],
    ['no cache', [], { cache: {} }, 'cache: [object Object] is no cache'],
    ['an unknown option', [], { evnets: [] }, 'there is no option "evnets"'],
    ['one event source that is no list', [], { events: new EventEmitter() }, 'is no list'],
    ['what is no class', [], { classes: [new Users()] }, 'are no classes'],
    ['no logger', [new Plain()], { logger: undefined }, 'no logger is given'],
    ['names without an emitter', [new Users()], { events: [new Subject()] }, '"user.imported"'],
    ['classes without a bus', [new Listener()], { events: [new EventEmitter()] }, '"UserRenamed"'],
    ['something else to listen on', [new Users()], { events: [{}] }, 'neither an event emitter nor'],
    ['two instances of a class', [new Plain(), new Plain()], {}, 'several instances'],
  ];
  it.each(wrong)('refuses %s', (_what, instances, options, message) => {
    const given = { cache, logger, ...options } as DecorateOptions;
    expect(() => decorate(instances as object[], given)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
    );
  });

  it('refuses a later instance whose events nobody listens for, and a class that has several without a word', () => {
    const decorated = decorate([], { cache, logger });
    expect(() => decorated.add(new Users())).toThrow('classes: ["Users"]');
    decorated.add(new Plain());
    expect(() => decorated.add(new Plain())).toThrow('several instances');
    expect(() => decorate([], { cache, logger, classes: [Plain] })).toThrow('several instances');
  });
});
