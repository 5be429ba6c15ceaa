import { describe, expect, it, vi } from 'vitest';
import { createCache, everything, key, memoryLog, type Target, tag } from '../index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { partContext } from '../testing/part-context.ts';
import { commandInvalidation, type CommandInvalidationOptions } from './command-invalidation.ts';
import { onCommand } from './command-map.ts';
import type { Invalidator } from './invalidator.ts';

class RenameUser {
  readonly userId: number;
  readonly name: string;

  constructor(userId: number, name: string) {
    this.userId = userId;
    this.name = name;
  }
}

class RenameAdmin extends RenameUser {}

class CreateUser {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

type Command =
  | { readonly type: 'user.rename'; readonly userId: number; readonly name: string }
  | { readonly type: 'user.create'; readonly name: string };

/** A table of users, a cache of it, and a logger that remembers. */
function setUp(options: Partial<CommandInvalidationOptions<object>> = {}) {
  const rows = new Map([
    [42, 'Ada'],
    [43, 'Grace'],
  ]);
  const cache = createCache({ name: 'shop', clock: new FakeClock() });
  const users = cache.query({ name: 'user', load: async (id: number) => rows.get(id) });
  const list = cache.query({ name: 'list', load: async () => [...rows.values()] });
  const error = vi.fn<(fields: object, message: string) => void>();
  const run = commandInvalidation(
    cache,
    [
      onCommand(RenameUser, (command) => users.at(command.userId)),
      onCommand(RenameAdmin, () => tag('admins')),
      onCommand(CreateUser, (_command, id: number) => [users.at(id), list.at()]),
    ],
    { logger: { error }, ...options },
  );
  const rename = (id: number, name: string) => () => {
    rows.set(id, name);
    return Promise.resolve('done');
  };
  return { cache, rows, users, list, run, rename, error };
}

/** What is invalidated, and why, by a middleware over a cache that only writes down. */
function recorder() {
  const seen: { targets: readonly Target[]; cause: unknown }[] = [];
  const cache: Invalidator = {
    invalidate: (targets, { cause }) => {
      seen.push({ targets, cause });
      return Promise.resolve({ status: 'applied', token: '1.e.1' });
    },
  };
  return { seen, cache };
}

describe('a command that succeeds', () => {
  it('is invalidated before its promise resolves, and its result returned', async () => {
    const { run, rename, users } = setUp();
    await Promise.all([users(42), users(43)]);
    expect(await run(new RenameUser(42, 'Ada L.'), rename(42, 'Ada L.'))).toBe('done');
    expect([users.peek(42), users.peek(43)]).toEqual([undefined, 'Grace']);
    expect(await users(42)).toBe('Ada L.');
  });

  // "Invalidation before the commit; a reader refills the old row."
  it('is invalidated only after it', async () => {
    const { run, rows, users } = setUp();
    await users(42);
    await run(new RenameUser(42, 'Ada L.'), async () => {
      expect(await users(42)).toBe('Ada');
      rows.set(42, 'Ada L.');
    });
    expect(await users(42)).toBe('Ada L.');
  });

  it('may use its result', async () => {
    const { run, rows, users, list } = setUp();
    expect(await users(44)).toBeUndefined();
    expect(await list()).toEqual(['Ada', 'Grace']);
    await run(new CreateUser('Edsger'), () => {
      rows.set(44, 'Edsger');
      return 44;
    });
    expect(await users(44)).toBe('Edsger');
    expect(await list()).toEqual(['Ada', 'Grace', 'Edsger']);
  });

  it('counts for the classes that its own extends', async () => {
    const { seen, cache } = recorder();
    const run = commandInvalidation(
      cache,
      [onCommand(RenameUser, (command) => key('user', command.userId)), onCommand(RenameAdmin, () => tag('admins'))],
      { logger: console },
    );
    await run(new RenameAdmin(1, 'x'), () => {});
    await run(new RenameUser(2, 'x'), () => {});
    expect(seen.map((it) => it.targets)).toEqual([[tag('admins'), key('user', 1)], [key('user', 2)]]);
  });

  it('may be told apart by its type', async () => {
    const { seen, cache } = recorder();
    const run = commandInvalidation<Command, { 'user.create': { id: number } }>(
      cache,
      {
        'user.rename': (command) => key('user', command.userId),
        'user.create': (_command, created) => key('user', created.id),
      },
      { logger: console, fields: (command) => ({ name: command.name }) },
    );
    await run({ type: 'user.rename', userId: 42, name: 'Ada' }, () => {});
    await run({ type: 'user.create', name: 'Edsger' }, async () => ({ id: 44 }));
    expect(seen).toEqual([
      { targets: [key('user', 42)], cause: { event: 'user.rename', fields: { name: 'Ada' } } },
      { targets: [key('user', 44)], cause: { event: 'user.create', fields: { name: 'Edsger' } } },
    ]);
  });

  it.each([{ type: 'toString' }, { type: '__proto__' }, { type: 'constructor' }, new Date(), Object.create(null)])(
    'invalidates nothing where nobody says what it makes stale: %j',
    async (command) => {
      const { seen, cache } = recorder();
      const byType = commandInvalidation(cache, {}, { logger: console });
      const byClass = commandInvalidation(cache, [onCommand(RenameUser, () => everything())], { logger: console });
      expect(await byType(command as { type: string }, () => 1)).toBe(1);
      expect(await byClass(command as object, () => 2)).toBe(2);
      expect(seen).toEqual([]);
    },
  );

  it('invalidates nothing where its mapper names nothing', async () => {
    const { seen, cache } = recorder();
    const run = commandInvalidation(cache, [onCommand(RenameUser, () => []), onCommand(CreateUser, () => undefined)], {
      logger: console,
    });
    await run(new RenameUser(1, 'x'), () => {});
    await run(new CreateUser('x'), () => {});
    expect(seen).toEqual([]);
  });
});

describe('a command that fails', () => {
  it('invalidates nothing, and its error passes unchanged', async () => {
    const { run, users } = setUp();
    await users(42);
    const error = new Error('the name is taken');
    await expect(run(new RenameUser(42, 'Grace'), () => Promise.reject(error))).rejects.toBe(error);
    await expect(
      run(new RenameUser(42, 'Grace'), () => {
        throw error;
      }),
    ).rejects.toBe(error);
    expect(users.peek(42)).toBe('Ada');
  });

  it('invalidates what it may have changed all the same', async () => {
    const lost = new Error('the connection was lost at COMMIT');
    const { run, rows, users, error } = setUp({
      inDoubt: (failure, command) =>
        failure === lost && command instanceof RenameUser ? key('user', command.userId) : undefined,
    });
    await Promise.all([users(42), users(43)]);
    const commitUnheard = (): Promise<never> => {
      rows.set(42, 'Ada L.');
      return Promise.reject(lost);
    };
    await expect(run(new RenameUser(42, 'Ada L.'), commitUnheard)).rejects.toBe(lost);
    expect(await users(42)).toBe('Ada L.');
    expect(users.peek(43)).toBe('Grace');
    await expect(run(new RenameUser(43, 'x'), () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(users.peek(43)).toBe('Grace');
    expect(error).not.toHaveBeenCalled();
  });

  it('passes its error also where nobody can say whether it is in doubt', async () => {
    const { run, users, error } = setUp({
      inDoubt: () => {
        throw new Error('a mistake');
      },
    });
    await users(42);
    await expect(run(new RenameUser(42, 'x'), () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
    expect(users.peek(42)).toBeUndefined();
    expect(error).toHaveBeenCalledOnce();
  });
});

describe('an invalidation that fails', () => {
  const wrong: [string, (command: RenameUser) => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('a mistake in a mapper');
      },
    ],
    ['returns a text', () => 'user:42'],
    ['returns a list with a text', (command) => [key('user', command.userId), 'user']],
    ['returns a promise', async (command) => key('user', command.userId)],
  ];

  it.each(wrong)('leaves the result, and nothing that could be stale, where a mapper %s', async (_what, mapper) => {
    const { cache, rows, users, error } = setUp();
    const run = commandInvalidation(cache, [onCommand(RenameUser, mapper as () => Target)], { logger: { error } });
    await Promise.all([users(42), users(43)]);
    const result = await run(new RenameUser(42, 'Ada L.'), () => rows.set(42, 'Ada L.').size);
    expect(result).toBe(2);
    expect(await users(42)).toBe('Ada L.');
    expect(users.peek(43)).toBeUndefined();
    expect(error).toHaveBeenCalledExactlyOnceWith(
      { event: 'cache_command', command: 'RenameUser', err: expect.any(Error) },
      'cache_command command="RenameUser": nobody knows what it has made stale, so this is invalidated: everything',
    );
  });

  it('covers only what its fallback says, and what other mappers of the command do', async () => {
    const { seen, cache } = recorder();
    const error = vi.fn<(fields: object, message: string) => void>();
    const rules = [
      onCommand(RenameUser, (): Target => {
        throw new Error('a mistake');
      }),
      onCommand(RenameAdmin, () => tag('admins')),
    ];
    const run = (fallback: readonly Target[]) =>
      commandInvalidation(cache, rules, { logger: { error }, fallback })(new RenameAdmin(1, 'x'), () => {});
    await run([tag('users')]);
    await run([]);
    expect(seen.map((it) => it.targets)).toEqual([[tag('admins'), tag('users')], [tag('admins')]]);
    expect(error.mock.calls.map(([, message]) => message.split(': ').at(-1))).toEqual(['tag users', 'nothing']);
  });

  it.each<[string, () => Readonly<Record<string, string>>]>([
    [
      'throws',
      () => {
        throw new Error('a mistake');
      },
    ],
    ['returns what no record can carry', () => ({ id: 42 as unknown as string })],
  ])('has no fields where their function %s', async (_what, fields) => {
    const { seen, cache } = recorder();
    const error = vi.fn<(fields: object, message: string) => void>();
    const run = commandInvalidation(cache, [onCommand(RenameUser, () => tag('users'))], { logger: { error }, fields });
    await run(new RenameUser(1, 'x'), () => {});
    expect(seen).toEqual([{ targets: [tag('users')], cause: { event: 'RenameUser' } }]);
    expect(error).toHaveBeenCalledOnce();
  });

  it('is told, and the result returned, where the cache is closed', async () => {
    const { cache, run, rename, error } = setUp();
    await cache.close();
    expect(await run(new RenameUser(42, 'x'), rename(42, 'x'))).toBe('done');
    expect(error.mock.calls).toEqual([
      [
        { event: 'cache_command', command: 'RenameUser', err: expect.objectContaining({ code: 'CLOSED' }) },
        'cache_command command="RenameUser": could not invalidate key user:42',
      ],
    ]);
  });

  it('is queued where the log cannot be reached, and covers its targets here', async () => {
    const clock = new FakeClock();
    const log = new FaultyLog(memoryLog()(partContext(clock)));
    const cache = createCache({ name: 'shop', clock, log, patience: 0 });
    await cache.ready();
    const users = cache.query({ name: 'user', load: async (id: number) => id });
    await users(42);
    expect(users.peek(42)).toBe(42);
    const error = vi.fn<() => void>();
    const run = commandInvalidation(cache, [onCommand(RenameUser, (command) => users.at(command.userId))], {
      logger: { error },
    });
    log.cut('append');
    expect(await run(new RenameUser(42, 'x'), () => 'done')).toBe('done');
    expect(users.peek(42)).toBeUndefined();
    expect(error).not.toHaveBeenCalled();
    await cache.close({ drain: 0 });
  });

  it('does not fail because its logger does', async () => {
    const { run, rename, users } = setUp({
      logger: {
        error: () => {
          throw new Error('the disk is full');
        },
      },
      fields: () => {
        throw new Error('a mistake');
      },
    });
    await users(42);
    expect(await run(new RenameUser(42, 'x'), rename(42, 'x'))).toBe('done');
    expect(users.peek(42)).toBeUndefined();
  });
});

describe('bad input', () => {
  const { cache } = recorder();
  const rule = onCommand(RenameUser, () => undefined);

  it.each<[string, unknown, unknown, string]>([
    ['no logger', [rule], {}, 'logger: undefined has no error()'],
    ['a misspelt option', [rule], { logger: console, fallBack: [] }, 'Write fallback'],
    ['a fallback that is no target', [rule], { logger: console, fallback: 'user' }, 'is not a target'],
    ['no function for doubts', [rule], { logger: console, inDoubt: true }, 'inDoubt: true is not a function'],
    ['no function for fields', [rule], { logger: console, fields: {} }, 'fields: [object Object] is not a function'],
    ['no mapper', { 'user.rename': key('user') }, { logger: console }, '"user.rename" has [object Object]'],
    ['no rule', [() => {}], { logger: console }, 'is not made by onCommand()'],
  ])('is refused at once: %s', (_what, map, options, message) => {
    expect(() => commandInvalidation(cache, map as [], options as { logger: Console })).toThrow(message);
  });

  it('is refused by onCommand', () => {
    expect(() => onCommand((() => {}) as never, () => undefined)).toThrow('is not a class');
    expect(() => onCommand(RenameUser, key('user') as never)).toThrow('which is not a function');
  });

  it.each([undefined, null, 'RenameUser', 7])('is refused before it runs, as a command: %s', async (command) => {
    const next = vi.fn<() => void>();
    const run = commandInvalidation(cache, [rule], { logger: console });
    await expect(run(command as never, next)).rejects.toThrow('is not a message');
    expect(next).not.toHaveBeenCalled();
  });
});
