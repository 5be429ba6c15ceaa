import type { Cache } from '../cache/cache.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Logger } from '../coherence/logger.ts';
import { type Target, targetList } from '../coherence/target.ts';
import {
  type Connection,
  connectEmitter,
  connectSubscribable,
  type DomainEvent,
  type EmitterLike,
  type Subscribable,
} from '../events/index.ts';
import type { EventRule } from './invalidates-on.ts';

/** An event as the rules get it: whatever was emitted, under the name that it is reported by. */
export interface Heard extends DomainEvent {
  readonly rules: readonly EventRule[];
  readonly payload: unknown;
}

/** What events are listened for on: an emitter for their names, a bus or observable for their classes. */
export type EventSource = EmitterLike | Subscribable<unknown>;

/**
 * Has the rules of one cache hear of their events.
 *
 * @param sources event emitters and buses
 * @param logger hears of events that fail
 * @throws TidemarkError `INVALID_OPTION` for a source that is neither, and for a rule whose event no source can have
 */
export function connectRules(
  cache: Cache,
  rules: readonly EventRule[],
  sources: readonly unknown[],
  logger: Logger | undefined,
): Connection<Heard>[] {
  const named = new Map<string, EventRule[]>();
  const classes: EventRule[] = [];
  for (const rule of rules) {
    if (typeof rule.event === 'string') named.set(rule.event, [...(named.get(rule.event) ?? []), rule]);
    else classes.push(rule);
  }
  const buses = sources.filter(isBus);
  const emitters = sources.filter(isEmitter);
  const strange = sources.find((it) => !isBus(it) && !isEmitter(it));
  if (strange !== undefined) throw invalid(`${shorten(strange)} is neither an event emitter nor an event bus`);
  const deaf = emitters.length === 0 ? [...named.keys()][0] : undefined;
  if (deaf !== undefined) throw invalid(`@InvalidatesOn(${shorten(deaf)}) has no event emitter to listen on`);
  if (buses.length === 0 && classes[0] !== undefined)
    throw invalid(
      `@InvalidatesOn(${shorten((classes[0].event as { name: string }).name)}) has no event bus to listen on`,
    );
  const handler = { handle: (event: Heard) => handle(cache, event) };
  const common = { fallback: cache, ...(logger !== undefined && { logger }) };
  return [
    ...(named.size === 0 ? [] : emitters).map((it) =>
      connectEmitter(it, handler, { ...common, events: byName(named) }),
    ),
    ...(classes.length === 0 ? [] : buses).map((it) =>
      connectSubscribable(it, handler, { ...common, source: 'event bus', event: (event) => byClass(classes, event) }),
    ),
  ];
}

function byName(named: ReadonlyMap<string, readonly EventRule[]>): Record<string, (payload: unknown) => Heard> {
  return Object.fromEntries(
    [...named].map(([type, rules]) => [type, (payload: unknown) => ({ type, rules, payload })]),
  );
}

function byClass(classes: readonly EventRule[], payload: unknown): Heard | undefined {
  const rules = classes.filter(({ event }) => typeof event === 'function' && payload instanceof event);
  return rules.length === 0 ? undefined : { type: (payload as object).constructor.name, rules, payload };
}

async function handle(cache: Cache, { type, rules, payload }: Heard): Promise<unknown> {
  const targets = rules.flatMap((rule) => listOf(type, rule.targets(payload)));
  return targets.length === 0 ? undefined : cache.invalidate(targets, { cause: { event: type } });
}

function listOf(type: string, targets: ReturnType<EventRule['targets']>): readonly Target[] {
  if (targets === undefined) return [];
  return targetList(targets, (shown) => `@InvalidatesOn(${shorten(type)}) returned ${shown}, which is no target.`);
}

function isBus(source: unknown): source is Subscribable<unknown> {
  return typeof (source as Partial<Subscribable<unknown>> | undefined)?.subscribe === 'function';
}

function isEmitter(source: unknown): source is EmitterLike {
  const { on, off } = (source ?? {}) as Partial<EmitterLike>;
  return typeof on === 'function' && typeof off === 'function';
}

function invalid(problem: string): TidemarkError {
  return new TidemarkError(
    'INVALID_OPTION',
    `events: ${problem}. Name what is listened on: decorate([...], { events: [emitter] }) for names, [bus] for classes; in NestJS forRoot({ events: [EventEmitter2] }), or [EventBus].`,
  );
}
