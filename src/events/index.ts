export type { MessageClass, TypedMessage } from './bus-message.ts';
export {
  commandInvalidation,
  type CommandInvalidationOptions,
  type CommandMiddleware,
} from './command-invalidation.ts';
export { type CommandMap, type CommandRule, onCommand } from './command-map.ts';
export type { Attempt } from './delivery.ts';
export type { Mapped, Mapper, Provenience } from './arrival.ts';
export type { CloudEvent } from './cloud-event.ts';
export { connectCloudEvents, type CloudEventsConnection } from './cloud-events.ts';
export type { CloudEventsOptions } from './cloud-events-options.ts';
export type { Webhook } from './webhook.ts';
export type { Connection } from './connection.ts';
export { connectEmitter, type EmitterLike, type EmitterMapping, type EmitterOptions } from './emitter.ts';
export { connectEventTarget, type EventTargetLike, type EventTargetOptions } from './event-target.ts';
export { connectSubscribable, type Subscribable, type SubscribableOptions } from './subscribable.ts';
export { createIntake, type Intake, type IntakeStatistics, type SourceHabits, type Unhandled } from './intake.ts';
export type { IntakeEvent, Parked } from './intake-event.ts';
export type { EventHandler, IntakeOptions } from './intake-options.ts';
export type { Taken } from './lane.ts';
export type { EntityId, EntityMap, EntityName, IdText, Subject } from './entity.ts';
export type { Gap, GapReason } from './gap.ts';
export type { LogAccessOptions } from '../cache/log-access.ts';
export type { Message, MessageContent } from './message.ts';
export type { Publication, PublishDetails } from './publication.ts';
export { createPublisher, type Published, type Publisher, type PublisherStatistics } from './publisher.ts';
export type { EntityTargets, PublisherOptions, RateLimit } from './publisher-options.ts';
export type { Explanation } from './explanation.ts';
export type { Handled } from './handled.ts';
export { type Argument, type Arguments, type Implication, type Implied, implies } from './implication.ts';
export type { Verdict } from './judgement.ts';
export type { Mode, Modes, ModeSwitch } from './mode.ts';
export type { ConditionalRule, DomainEvent, EventOf, Rule, RuleFunction, RuleMap, Targets } from './rule.ts';
export type { Invalidator } from './invalidator.ts';
export { type KnownEvents, parseRules, type RuleDocumentOptions } from './rule-document.ts';
export { createRules, type Rules } from './rules.ts';
export { loadRules } from './rules-file.ts';
export type { RulesOptions } from './rules-options.ts';
export { type InvalidationStep, type InvalidationStepOptions, invalidationStep } from './saga-step.ts';
export { createSubscriber, type Subscriber, type SubscriberStatistics } from './subscriber.ts';
export type { SubscriberOptions } from './subscriber-options.ts';
export { defineRules, type Strategy, type StrategyOptions } from './strategy.ts';
export type { Template } from './template.ts';
export type { Step } from './cascade.ts';
export {
  queryCache,
  type QueryCacheOptions,
  type QueryMaker,
  type QueryMiddleware,
  type TypeOf,
} from './query-cache.ts';
export type { CacheableQuery } from './query-key.ts';
export { forQuery, type QueryMap, type QueryRule, type QuerySettings } from './query-map.ts';
