import type { Cache } from '../cache/cache.ts';
import type { Duration } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Connection, DomainEvent } from '../events/index.ts';
import { DecoratedClasses } from './decorated-classes.ts';
import { connectRules, type EventSource } from './event-rules.ts';

/** Options of {@link decorate}. */
export interface DecorateOptions {
  readonly cache: Cache;
  /** What `@Cached({ cache: as })` calls it, where there are several. */
  readonly as?: string;
  /** What `@InvalidatesOn` listens on: emitters for names; buses and observables for classes. */
  readonly events?: readonly EventSource[];
  /** Classes whose instances are made later, and handed to {@link Decorated.add}: looked at now, so that their events are heard. */
  readonly classes?: readonly (abstract new (
    ...args: never[]
  ) => object)[];
  /** Hears of what fails where nobody waits for it. Needed for `@Invalidates` and `@InvalidatesOn`; `console` will do. */
  readonly logger?: Logger;
}

/** What came of {@link decorate}. */
export interface Decorated {
  /**
   * Gives an instance that was made later its cache. Hooks of containers may call it: `onActivation` of inversify,
   * `afterResolution` of tsyringe.
   *
   * @returns the instance
   * @throws TidemarkError as {@link decorate}; `INVALID_OPTION` for a class with `@InvalidatesOn` that was not named by `classes`
   */
  add<T extends object>(instance: T): T;
  /** Where events come from, one for each of `events` that is listened on: what was given up, and retrying it. */
  readonly connections: readonly Connection<DomainEvent>[];
  /** Hears no more events, and lets those that wait be handled, for at most `drain` (default `'1s'`). The cache stays open. */
  close(options?: { readonly drain?: Duration }): Promise<void>;
}

const OPTIONS: readonly (keyof DecorateOptions)[] = ['cache', 'as', 'events', 'classes', 'logger'];

/**
 * Gives instances of decorated classes a cache, in place of one that they had, and has their `@InvalidatesOn` hear of events.
 *
 * @param instances of classes with `@Cached`, `@Invalidates` or `@InvalidatesOn`; others do no harm
 * @throws TidemarkError `INVALID_OPTION` or `INVALID_QUERY`, before an event is listened for: for options of a decorator that are
 * wrong, a name that is taken, a second instance of a class, an event that none of `events` can have
 * @example
 * const decorated = decorate([reports, users], { cache, events: [emitter], logger });
 * await decorated.close({ drain: '1s' });
 * await cache.close();
 */
export function decorate(instances: readonly object[], options: DecorateOptions): Decorated {
  checkOptions(options);
  const { cache, as, events = [], classes = [], logger } = options;
  const classesOf = (made: readonly object[], shapes: readonly object[] = []): DecoratedClasses => {
    for (const it of made) checkInstance(it);
    const lasting = made.map((instance) => ({ instance, lasting: true }));
    return new DecoratedClasses([...lasting, ...shapes.map((instance) => ({ instance, lasting: false }))], as);
  };
  const all = classesOf(
    instances,
    classes.map((it) => it.prototype as object),
  );
  if (all.reports && logger === undefined) throw noLogger();
  all.give(cache);
  all.prepare(cache, logger);
  const heard = new Set(all.eventRules);
  const connections = connectRules(cache, all.eventRules, events, logger);
  return {
    connections,
    add: (instance) => {
      const it = classesOf([instance]);
      if (it.eventRules.some((rule) => !heard.has(rule))) throw deafInstance(instance);
      if (it.reports && logger === undefined) throw noLogger();
      it.give(cache);
      it.prepare(cache, logger);
      return instance;
    },
    close: async (ending) => void (await Promise.all(connections.map((it) => it.close(ending)))),
  };
}

function checkOptions(options: DecorateOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalid(`${shorten(options)} is no object of options. Give { cache }`);
  checkKnown(options, OPTIONS, 'decorate');
  const { cache, as, events = [], classes = [] } = options;
  if (typeof (cache as Partial<Cache> | undefined)?.query !== 'function')
    throw invalid(`cache: ${shorten(cache)} is no cache. Give what createCache() returned`);
  if (as !== undefined && typeof as !== 'string')
    throw invalid(`as: ${shorten(as)} is no text. Give what @Cached({ cache }) says`);
  if (!Array.isArray(events)) throw invalid(`events: ${shorten(events)} is no list. Give a list`);
  if (!Array.isArray(classes) || classes.some((it: unknown) => typeof it !== 'function'))
    throw invalid(`classes: ${shorten(classes)} are no classes. Give a list of them`);
}

function checkInstance(instance: unknown): void {
  if (typeof instance === 'function')
    throw invalid(`${shorten(instance.name)} is a class. Give an instance of it, or name it by classes`);
  if (typeof instance !== 'object' || instance === null)
    throw invalid(`${shorten(instance)} is no instance of a class. Give those whose classes are decorated`);
}

function deafInstance(instance: object): TidemarkError {
  const name = shorten(instance.constructor.name);
  return invalid(
    `add: ${name} has @InvalidatesOn, which nobody listens for. Name it from the start: classes: [${name}]`,
  );
}

function noLogger(): TidemarkError {
  return invalid(
    'no logger is given, so that nobody would hear of an @Invalidates or @InvalidatesOn that fails. Give one; console will do',
  );
}

function invalid(problem: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `decorate: ${problem}.`);
}
