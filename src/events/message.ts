import { formatToken, type Token } from '../coherence/position.ts';
import type { LogRecord } from '../coherence/record.ts';
import type { Target } from '../coherence/target.ts';
import type { Subject } from './entity.ts';
import { targetsOf } from './message-targets.ts';

/** One change, as a subscriber is told of it. `entity` and `entityId` say what it is about, where the publisher named it. */
export type Message<E = Record<string, string>> = MessageContent & Subject<E>;

/** What every message has. */
export interface MessageContent {
  /** 32 hexadecimal digits. A message may come twice, with the same id: applying it again has to be harmless. */
  readonly id: string;
  /** Its place in the log; messages come in the order of their positions. A subscriber resumes behind it. */
  readonly position: Token;
  /** The process that published it: its source, `#`, and eight random digits. */
  readonly origin: string;
  /** The service that published it; of a cache's invalidation, the name of the cache. */
  readonly source: string;
  /** The publisher's wall clock, in milliseconds since 1970. For people: nothing is ordered by it. */
  readonly time: number;
  /** What is stale now. Never narrower than what was published; wider where `exact` is `false`. */
  readonly targets: readonly Target[];
  /** `false`: what it covers could not be told exactly, so its targets are everything. */
  readonly exact: boolean;
  readonly action: string | undefined;
  readonly event: string | undefined;
  /** W3C `traceparent` of the request that changed the data. */
  readonly trace: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * The message in a record; `undefined` for one that changes nothing for those who have heard all before it.
 *
 * An announcement says that a change is coming; the record that closes it covers the change. A floor that the log raises by
 * itself retires patterns which were told when they were new.
 *
 * @param known the names of entities that are passed on, `undefined` for all
 */
export function messageOf<E>(
  record: LogRecord,
  epoch: string,
  known: ReadonlySet<string> | undefined,
): Message<E> | undefined {
  if (record.kind === 'announce' || (record.kind === 'floor' && record.origin === 'log')) return undefined;
  const { origin, cause } = record;
  // Any other floor covers what is older, whatever its key.
  const covered = targetsOf(record.kind === 'floor' ? { ...record, kind: 'everything' } : record);
  const named =
    cause?.entityType !== undefined && cause.entityId !== undefined && known?.has(cause.entityType) !== false;
  const content: MessageContent = {
    id: record.id,
    position: formatToken({ epoch, number: record.number }),
    origin,
    source: origin.includes('#') ? origin.slice(0, origin.lastIndexOf('#')) : origin,
    time: record.time,
    ...covered,
    action: cause?.action,
    event: cause?.event,
    trace: cause?.trace,
    fields: cause?.fields ?? {},
  };
  const subject = { entity: named ? cause.entityType : undefined, entityId: named ? cause.entityId : undefined };
  return { ...content, ...subject } as Message<E>;
}
