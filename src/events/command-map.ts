import { shorten, TidemarkError } from '../coherence/errors.ts';
import { classesOf, isClass, type MessageClass, type TypedMessage, typeOf } from './bus-message.ts';
import type { Targets } from './rule.ts';

/** What the commands of a class make stale. Made by {@link onCommand}. */
export interface CommandRule<C extends object = never, R = never> {
  readonly command: MessageClass;
  readonly targets: Mapper<C, R>;
}

/** From a command, and from the result of its handler, to what it has made stale. */
export type Mapper<C extends object = object, R = unknown> = (command: C, result: R) => Targets;

/**
 * What the commands of each `type` make stale. `R` names the results of those whose mappers use them: `{ 'user.create': { id: number } }`.
 */
export type CommandMap<C extends TypedMessage, R extends object = object> = {
  readonly [K in C['type']]?: (command: Extract<C, { type: K }>, result: K extends keyof R ? R[K] : unknown) => Targets;
};

/**
 * What the commands of a class, and of classes that extend it, make stale.
 *
 * @param targets from the command, and from the result of its handler; it must not wait for anything
 * @throws TidemarkError `INVALID_OPTION` where one is no class or the other no function
 * @example onCommand(CreateUser, (command, created: { id: number }) => [users.at(created.id), userList.at(command.orgId)])
 */
export function onCommand<C extends object, R = unknown>(
  command: MessageClass<C>,
  targets: Mapper<C, R>,
): CommandRule<C, R> {
  if (!isClass(command))
    throw new TidemarkError(
      'INVALID_OPTION',
      `onCommand(): ${shorten(command)} is not a class. Give the command's class.`,
    );
  checkMapper(command.name, targets);
  return { command, targets };
}

/** The mappers of a command: of its class, and of all that this extends; or of its `type`. */
export function mappersOf(map: readonly CommandRule[] | object): (command: object) => readonly Mapper[] {
  return Array.isArray(map) ? byClass(map as readonly CommandRule[]) : byType(map);
}

function byClass(rules: readonly CommandRule[]): (command: object) => readonly Mapper[] {
  const known = new Map<MessageClass, Mapper[]>();
  for (const rule of rules) {
    const { command, targets } = checkRule(rule);
    known.set(command, [...(known.get(command) ?? []), targets as Mapper]);
  }
  return (command) => classesOf(command).flatMap((it) => known.get(it) ?? []);
}

function byType(map: object): (command: object) => readonly Mapper[] {
  const known = new Map<string, Mapper>();
  for (const [type, mapper] of Object.entries(map) as [string, Mapper | undefined][]) {
    if (mapper === undefined) continue;
    checkMapper(type, mapper);
    known.set(type, mapper);
  }
  return (command) => {
    const mapper = known.get(typeOf(command) ?? '');
    return mapper === undefined ? [] : [mapper];
  };
}

function checkRule(rule: CommandRule): CommandRule {
  if (typeof rule === 'object' && rule !== null && isClass(rule.command) && typeof rule.targets === 'function')
    return rule;
  throw new TidemarkError(
    'INVALID_OPTION',
    `commands: ${shorten(rule)} is not made by onCommand(). Write [onCommand(RenameUser, (command) => users.at(command.userId))].`,
  );
}

function checkMapper(name: string, mapper: unknown): void {
  if (typeof mapper === 'function') return;
  throw new TidemarkError(
    'INVALID_OPTION',
    `commands: ${shorten(name)} has ${shorten(mapper)}, which is not a function. Give a function from the command and its result to targets.`,
  );
}
