import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Part, PartContext } from '../coherence/part.ts';
import type { Target } from '../coherence/target.ts';
import type { Tracing } from '../cache/tracing.ts';
import type { EntityMap } from './entity.ts';
import { checkLogAccess, type LogAccessOptions, wholeNumber } from '../cache/log-access.ts';

/** How many messages a publisher may send. */
export interface RateLimit {
  readonly perSecond: number;
  /** How many at once, after a quiet time; default: those of one second. */
  readonly burst?: number;
}

/** What a message about an entity covers: `true` for `key(entity, id)`, or a function of the id. */
export type EntityTargets<Id> = true | ((id: Id) => Target | readonly Target[]);

export interface PublisherOptions<E extends EntityMap<E> = Record<string, string>> extends LogAccessOptions {
  /** The name of this service, in what it publishes; default: the name of the log. */
  readonly source?: string;
  /** Every entity there is, so that a misspelt one is refused. Default: any name is taken, and covers `key(entity, id)`. */
  readonly entities?: { readonly [K in keyof E]: EntityTargets<E[K]> };
  /** How long a message is retried before its receipt says `queued`; default `'250ms'`. */
  readonly patience?: Duration;
  /** Messages that wait for the log, or for their turn, before they become one of everything; default 10,000. */
  readonly maxQueue?: number;
  /** Beyond it messages wait for their turn, in order. Default: no limit. */
  readonly rate?: RateLimit;
  /**
   * After so many receipts that said `queued`, one after the other (those of a burst count once), callers do not wait for the log any more: they get such a receipt at
   * once, until it has taken a message. Nothing is dropped. Default `{ failures: 5 }`; `false` for never.
   */
  readonly circuit?: { readonly failures: number } | false;
  /** Spans of messages, and the trace that each carries where its details name none; see `tidemark/opentelemetry`. */
  readonly tracing?: Part<Tracing>;
}

/** {@link PublisherOptions}, checked and complete. */
export interface PublisherSettings {
  readonly context: PartContext;
  readonly source: string;
  readonly patience: number;
  readonly maxQueue: number;
  readonly rate: Required<RateLimit> | undefined;
  readonly failures: number;
}

type OwnOption = Exclude<keyof PublisherOptions, keyof LogAccessOptions>;

/** By their type no name can be missing. */
const OWN: Record<OwnOption, true> = {
  source: true,
  entities: true,
  patience: true,
  maxQueue: true,
  rate: true,
  circuit: true,
  tracing: true,
};

/** Longest name of a service, in UTF-16 code units. */
const LONGEST_SOURCE = 256;

/** @throws TidemarkError `INVALID_OPTION` or `INVALID_KEY`, naming the option and the cure */
export function publisherSettings<E extends EntityMap<E>>(options: PublisherOptions<E>): PublisherSettings {
  const context = checkLogAccess(options, 'createPublisher', Object.keys(OWN));
  const { source = context.name, circuit = { failures: 5 } } = options;
  if (typeof source !== 'string' || source === '' || source.length > LONGEST_SOURCE)
    throw new TidemarkError(
      'INVALID_OPTION',
      `source: ${shorten(source)} is no text of 1 to ${LONGEST_SOURCE} characters. Give the name of this service.`,
    );
  for (const [entity, targets] of Object.entries(options.entities ?? {})) {
    if (targets === true || typeof targets === 'function') continue;
    throw new TidemarkError(
      'INVALID_OPTION',
      `entities.${entity}: ${shorten(targets)} is neither true nor a function. Give true for key(${shorten(entity)}, id), or a function from the id to targets.`,
    );
  }
  return {
    context,
    source,
    patience: milliseconds(options.patience ?? '250ms', 'patience'),
    maxQueue: wholeNumber(options.maxQueue ?? 10_000, 'maxQueue'),
    rate: options.rate === undefined ? undefined : rateOf(options.rate),
    failures: circuit === false ? Number.POSITIVE_INFINITY : wholeNumber(circuit.failures, 'circuit.failures'),
  };
}

function rateOf({ perSecond, burst }: RateLimit): Required<RateLimit> {
  if (!(Number.isFinite(perSecond) && perSecond > 0))
    throw new TidemarkError(
      'INVALID_OPTION',
      `rate.perSecond: ${shorten(perSecond)} is not a number above 0. Give messages a second, or leave \`rate\` out.`,
    );
  return { perSecond, burst: wholeNumber(burst ?? Math.max(1, Math.floor(perSecond)), 'rate.burst') };
}
