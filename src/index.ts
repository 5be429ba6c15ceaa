export type { Announcement } from './coherence/announcements.ts';
export type { Ban } from './coherence/bans.ts';
export type { Cancel, Clock } from './coherence/clock.ts';
export type { Duration } from './coherence/duration.ts';
export { type ErrorCode, TidemarkError } from './coherence/errors.ts';
export type { FollowerState, ResyncReason } from './coherence/follower.ts';
export type { KeyInput, Segment } from './coherence/key.ts';
export type { Label } from './coherence/label.ts';
export type { Appended, InvalidationLog, LogOptions, Reading, Snapshot, Unsubscribe } from './coherence/log.ts';
export type { LogSettings } from './coherence/log-options.ts';
export type { Logger } from './coherence/logger.ts';
export { memoryLog } from './coherence/memory-log.ts';
export type { NodeEvent } from './coherence/node-event.ts';
export type { Part, PartContext } from './coherence/part.ts';
export type { Position, Token } from './coherence/position.ts';
export type { NodePresence, Presence } from './coherence/presence.ts';
export type { AtLeast, Receipt } from './coherence/receipt.ts';
export type { Cause, Draft, LogRecord, Lsn, RecordKind } from './coherence/record.ts';
export type { ServerAnswer, ServerCheck } from './coherence/server-check.ts';
export type { Stopwatch } from './coherence/stopwatch.ts';
export { everything, key, pattern, type Target, tag } from './coherence/target.ts';
export type { Cover } from './coherence/view.ts';
export type { LoadMany } from './cache/batch.ts';
export type { Breaker, BreakerBoard, BreakerChange, BreakerNotice, ProbeAnswer } from './cache/breaker.ts';
export { type Cache, createCache } from './cache/cache.ts';
export type { GetOptions, InvalidateOptions, SetOptions } from './cache/call-options.ts';
export type { CacheOptions } from './cache/cache-options.ts';
export type { CacheParts } from './cache/cache-parts.ts';
export type { Diagnostics, KeyPage, ServerReport } from './cache/diagnostics.ts';
export type { CacheEvent, From, Listener, ListenOptions, MissReason, ShadowOutcome } from './cache/events.ts';
export {
  type HttpRequest,
  type HttpResponse,
  type HttpSessionOptions,
  httpSessions,
  SESSION_HEADER,
  type Sessions,
} from './cache/http-session.ts';
export type { InspectedLabel } from './cache/inspected-label.ts';
export type { InspectedEntry, Inspection } from './cache/inspection.ts';
export type { Lease, LeaseAnswer } from './cache/lease.ts';
export { type ContextLoad, type LoadContext, withContext } from './cache/load-context.ts';
export { memoryBreakerBoard } from './cache/memory-breaker-board.ts';
export { memoryReports } from './cache/memory-reports.ts';
export { memoryStore } from './cache/memory-store.ts';
export type { Outlook } from './cache/outlook.ts';
export type { PlaceAnswer, Places } from './cache/places.ts';
export type { Query, QueryOptions, ReadRequestOf } from './cache/query.ts';
export type { Migrate } from './cache/version.ts';
export { beginSessions } from './cache/request-sessions.ts';
export type { ReadMode, ReadOptions } from './cache/read-options.ts';
export type { Provenance } from './cache/read-path.ts';
export type { RelayReport } from './cache/relay-report.ts';
export type { NodeReport, Reports } from './cache/reports.ts';
export type { Sample, SampleListener, SampleOptions } from './cache/sample.ts';
export type { Session } from './cache/session.ts';
export type { ShadowCounts } from './cache/shadow-counts.ts';
export type { Serializer, SerializerOption } from './cache/serializer.ts';
export type { Size } from './cache/size.ts';
export type { Store } from './cache/store.ts';
export type { AnnounceOptions, CommittedOptions, StrictWrite } from './cache/strict-write.ts';
export type { Counts } from './cache/tally.ts';
export type { OpenSpan, Traced, TracedOutcome, Tracing } from './cache/tracing.ts';
export { systemClock, systemRandom } from './cache/system-clock.ts';
export type { ProcessName } from './cache/system-process.ts';
export {
  type Argument,
  type Arguments,
  type Attempt,
  type CacheableQuery,
  type CloudEvent,
  type CloudEventsConnection,
  type CloudEventsOptions,
  commandInvalidation,
  type CommandInvalidationOptions,
  type CommandMap,
  type CommandMiddleware,
  type CommandRule,
  connectCloudEvents,
  connectEmitter,
  type Connection,
  connectEventTarget,
  connectSubscribable,
  createIntake,
  type ConditionalRule,
  createPublisher,
  createRules,
  createSubscriber,
  defineRules,
  type DomainEvent,
  type EmitterLike,
  type EmitterMapping,
  type EmitterOptions,
  type EntityId,
  type EntityMap,
  type EntityName,
  type EntityTargets,
  forQuery,
  type EventHandler,
  type EventTargetLike,
  type EventTargetOptions,
  type EventOf,
  type Explanation,
  type Gap,
  type GapReason,
  type Handled,
  type IdText,
  type Intake,
  type IntakeEvent,
  type IntakeOptions,
  type IntakeStatistics,
  type Implication,
  type Implied,
  implies,
  type InvalidationStep,
  type InvalidationStepOptions,
  invalidationStep,
  type Invalidator,
  type KnownEvents,
  loadRules,
  type LogAccessOptions,
  type Mapped,
  type Mapper,
  type Message,
  type MessageClass,
  type MessageContent,
  onCommand,
  type Parked,
  type Provenience,
  type Mode,
  type Modes,
  type ModeSwitch,
  parseRules,
  type Publication,
  type PublishDetails,
  type Published,
  type Publisher,
  type PublisherOptions,
  type PublisherStatistics,
  queryCache,
  type QueryCacheOptions,
  type QueryMaker,
  type QueryMap,
  type QueryMiddleware,
  type QueryRule,
  type QuerySettings,
  type RateLimit,
  type Rule,
  type RuleDocumentOptions,
  type RuleFunction,
  type RuleMap,
  type Rules,
  type RulesOptions,
  type SourceHabits,
  type Step,
  type Strategy,
  type StrategyOptions,
  type Subject,
  type Subscribable,
  type SubscribableOptions,
  type Subscriber,
  type SubscriberOptions,
  type SubscriberStatistics,
  type Taken,
  type Targets,
  type TypedMessage,
  type TypeOf,
  type Unhandled,
  type Webhook,
  type Template,
  type Verdict,
} from './events/index.ts';
