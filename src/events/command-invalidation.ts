import { checkDetails } from '../coherence/cause.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Cause } from '../coherence/record.ts';
import { describeTarget, everything, type Target, targetList } from '../coherence/target.ts';
import { checkMessage, nameOf, type TypedMessage } from './bus-message.ts';
import { type CommandMap, type CommandRule, type Mapper, mappersOf } from './command-map.ts';
import type { Invalidator } from './invalidator.ts';
import type { Targets } from './rule.ts';

export interface CommandInvalidationOptions<C extends object> {
  /** Hears of what failed: a command that has succeeded stays so, and nobody else would be told. `console` will do. */
  readonly logger: Pick<Logger, 'error'>;
  /**
   * What is invalidated where a mapper fails, and nobody knows what the command has made stale. Default `everything()`: a cold cache
   * instead of a wrong one. `[]` is nothing, until the TTL.
   */
  readonly fallback?: Targets;
  /**
   * What a command has made stale that has *failed*, and may have changed something all the same: a COMMIT was carried out, and its
   * answer was lost. `undefined` where it certainly changed nothing. Default: nothing.
   */
  readonly inDoubt?: (error: unknown, command: C) => Targets;
  /** Flat fields for the log line and the record, such as `(command) => ({ org: command.orgId })`. */
  readonly fields?: (command: C) => Readonly<Record<string, string>>;
}

/**
 * Runs a command, then invalidates.
 *
 * @param next runs the command
 * @returns what `next` does
 * @throws what `next` throws, unchanged; nothing else
 */
export type CommandMiddleware<C extends object = object> = <R>(command: C, next: () => R | Promise<R>) => Promise<R>;

/**
 * Middleware for a command bus: maps commands to what they make stale, and invalidates that once they have succeeded. When a command's
 * promise resolves, this process serves nothing older. A command that fails invalidates nothing, and an invalidation never fails its
 * command.
 *
 * A command must have committed when `next` resolves: put it around whatever begins and ends the transaction, not inside.
 *
 * @param cache the cache, or a part of it
 * @param map a list of {@link onCommand}, for commands that are instances of classes; or an object, for commands told apart by `type`
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_TARGET` for bad options, at once
 * @example
 * const run = commandInvalidation(cache, [onCommand(RenameUser, (command) => users.at(command.userId))], { logger });
 * await run(new RenameUser(42, 'Ada'), () => handler.execute(command));
 */
export function commandInvalidation(
  cache: Invalidator,
  map: readonly CommandRule[],
  options: CommandInvalidationOptions<object>,
): CommandMiddleware;
export function commandInvalidation<C extends TypedMessage, R extends object = object>(
  cache: Invalidator,
  map: CommandMap<C, R>,
  options: CommandInvalidationOptions<C>,
): CommandMiddleware<C>;
export function commandInvalidation(
  cache: Invalidator,
  map: readonly CommandRule[] | object,
  options: CommandInvalidationOptions<never>,
): CommandMiddleware {
  checkOptions(options);
  const mappers = mappersOf(map);
  const after = new AfterCommand(cache, options as CommandInvalidationOptions<object>);
  return async (command, next) => {
    // Looked at before it runs: from then on nothing here may fail.
    checkMessage(command);
    const done = { command, name: nameOf(command), mappers: mappers(command) };
    let result;
    try {
      result = await next();
    } catch (error) {
      await after.failed(done, error);
      throw error;
    }
    await after.succeeded(done, result);
    return result;
  };
}

function checkOptions(options: CommandInvalidationOptions<never>): void {
  checkKnown(options, ['logger', 'fallback', 'inDoubt', 'fields'], 'commandInvalidation()');
  const { logger } = options;
  if (typeof logger?.error !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `commandInvalidation(): logger: ${shorten(logger)} has no error(). Give { logger: console }, or a pino logger: what fails here reaches nobody else.`,
    );
  for (const name of ['inDoubt', 'fields'] as const)
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new TidemarkError(
        'INVALID_OPTION',
        `commandInvalidation(): ${name}: ${shorten(options[name])} is not a function.`,
      );
}

interface Done {
  readonly command: object;
  readonly name: string;
  readonly mappers: readonly Mapper[];
}

/** What follows a command. Neither method ever rejects. */
class AfterCommand {
  readonly #cache: Invalidator;
  readonly #options: CommandInvalidationOptions<object>;
  readonly #fallback: readonly Target[];

  constructor(cache: Invalidator, options: CommandInvalidationOptions<object>) {
    this.#cache = cache;
    this.#options = options;
    this.#fallback = options.fallback === undefined ? [everything()] : listed('fallback', options.fallback);
  }

  succeeded(done: Done, result: unknown): Promise<void> {
    return this.#invalidate(
      done,
      done.mappers.map((mapper) => () => mapper(done.command, result)),
    );
  }

  failed(done: Done, error: unknown): Promise<void> {
    const { inDoubt } = this.#options;
    return this.#invalidate(done, inDoubt === undefined ? [] : [() => inDoubt(error, done.command)]);
  }

  async #invalidate(done: Done, work: readonly (() => Targets)[]): Promise<void> {
    const targets = work.flatMap((it) => this.#targets(done, it));
    if (targets.length === 0) return;
    try {
      await this.#cache.invalidate(targets, { cause: this.#cause(done) });
    } catch (error) {
      this.#tell(done, error, `could not invalidate ${targets.map(describeTarget).join(', ')}`);
    }
  }

  #targets(done: Done, work: () => Targets): readonly Target[] {
    try {
      return listed(`the mapper of ${shorten(done.name)}`, work());
    } catch (error) {
      const instead = this.#fallback.map(describeTarget).join(', ') || 'nothing';
      this.#tell(done, error, `nobody knows what it has made stale, so this is invalidated: ${instead}`);
      return this.#fallback;
    }
  }

  /** Fields that cannot be had, or written, are no reason to leave something stale. */
  #cause(done: Done): Cause {
    const event = done.name;
    try {
      const fields = this.#options.fields?.(done.command);
      const cause: Cause = { event, ...(fields === undefined ? {} : { fields }) };
      checkDetails({ cause });
      return cause;
    } catch (error) {
      this.#tell(done, error, 'its record has no fields');
      return { event };
    }
  }

  #tell({ name }: Done, error: unknown, what: string): void {
    try {
      this.#options.logger.error(
        { event: 'cache_command', command: name, err: error },
        `cache_command command=${shorten(name)}: ${what}`,
      );
    } catch {
      // The logger itself fails: there is nobody left to tell, and the command has succeeded.
    }
  }
}

function listed(where: string, targets: Targets): readonly Target[] {
  if (targets === undefined) return [];
  return targetList(
    targets,
    (shown) =>
      `commandInvalidation(): ${where} gave ${shown}, which is not a target. Use key(...), tag(...), pattern(...), everything() or query.at(...).`,
  );
}
