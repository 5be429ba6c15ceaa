/* oxlint-disable vitest/expect-expect, typescript/no-unsafe-argument -- a line that must not compile is an assertion, made by the compiler */
import { commandInvalidation, createCache, key, onCommand, tag } from 'tidemark';
import { describe, expectTypeOf, it } from 'vitest';

const cache = createCache({ name: 'shop' });
const logger = console;
const users = cache.query({ name: 'user', load: async (id: number) => id });

class RenameUser {
  readonly userId: number;

  constructor(userId: number) {
    this.userId = userId;
  }
}

type Command =
  | { readonly type: 'user.rename'; readonly userId: number }
  | { readonly type: 'user.create'; readonly name: string };

interface Results {
  readonly 'user.create': { readonly id: number };
}

describe('onCommand', () => {
  it('knows the fields of its command, and the result that it is told', () => {
    const rule = onCommand(RenameUser, (command, result) => {
      expectTypeOf(command).toEqualTypeOf<RenameUser>();
      expectTypeOf(result).toEqualTypeOf<unknown>();
      return users.at(command.userId);
    });
    const other = onCommand(RenameUser, (_command, created: { readonly id: number }) => [users.at(created.id)]);
    const run = commandInvalidation(cache, [rule, other], { logger });
    expectTypeOf(run(new RenameUser(1), async () => 'done')).toEqualTypeOf<Promise<string>>();
    expectTypeOf(run(new RenameUser(1), () => 7)).toEqualTypeOf<Promise<number>>();
  });

  it('refuses fields that there are not, wrong arguments, and what is no target', () => {
    // @ts-expect-error -- it is called userId
    onCommand(RenameUser, (command) => users.at(command.id));
    // @ts-expect-error -- users are named by number
    onCommand(RenameUser, (command) => users.at(String(command.userId)));
    // @ts-expect-error -- nobody has said what the result is
    onCommand(RenameUser, (_command, result) => users.at(result.id));
    // @ts-expect-error -- a bare string is no target
    onCommand(RenameUser, () => 'user:42');
    // @ts-expect-error -- mappers do not wait
    onCommand(RenameUser, async (command) => users.at(command.userId));
    // @ts-expect-error -- a name is no class
    onCommand('RenameUser', () => tag('users'));
  });
});

describe('commandInvalidation', () => {
  it('knows each command by its type, and its result where that is named', () => {
    const run = commandInvalidation<Command, Results>(
      cache,
      {
        'user.rename': (command, result) => {
          expectTypeOf(command).toEqualTypeOf<{ readonly type: 'user.rename'; readonly userId: number }>();
          expectTypeOf(result).toEqualTypeOf<unknown>();
          return users.at(command.userId);
        },
        'user.create': (_command, created) => users.at(created.id),
      },
      { logger, inDoubt: (_error, command) => (command.type === 'user.rename' ? users.at(command.userId) : undefined) },
    );
    expectTypeOf(run({ type: 'user.rename', userId: 1 }, () => true)).toEqualTypeOf<Promise<boolean>>();
    // @ts-expect-error -- there is no such command
    void run({ type: 'user.delete' }, () => {});
    // @ts-expect-error -- the id is missing
    void run({ type: 'user.rename' }, () => {});
  });

  it('refuses a command that there is not, fields and results that it does not have, and wrong arguments', () => {
    // @ts-expect-error -- it is called user.rename
    commandInvalidation<Command>(cache, { 'user.renamed': () => tag('users') }, { logger });
    // @ts-expect-error -- only user.rename has an id
    commandInvalidation<Command>(cache, { 'user.create': (command) => key('user', command.userId) }, { logger });
    // @ts-expect-error -- names are texts
    commandInvalidation<Command>(cache, { 'user.create': (command) => users.at(command.name) }, { logger });
    // @ts-expect-error -- the result is called id
    commandInvalidation<Command, Results>(cache, { 'user.create': (_, it) => users.at(it.userId) }, { logger });
    // @ts-expect-error -- a bare string is no target
    commandInvalidation<Command>(cache, { 'user.rename': () => 'user' }, { logger });
  });

  it('refuses to have nobody who hears of failures, and options that do not exist', () => {
    // @ts-expect-error -- the logger is missing
    commandInvalidation(cache, [], {});
    // @ts-expect-error -- the option is called fallback
    commandInvalidation(cache, [], { logger, fallBack: [] });
    // @ts-expect-error -- a bare string is no target
    commandInvalidation(cache, [], { logger, fallback: '*' });
    // @ts-expect-error -- a class alone says nothing
    commandInvalidation(cache, [RenameUser], { logger });
  });
});
