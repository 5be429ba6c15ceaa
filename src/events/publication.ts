import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Cause, Lsn } from '../coherence/record.ts';
import { isTarget, key, type Target } from '../coherence/target.ts';
import type { EntityId, EntityMap, EntityName } from './entity.ts';
import type { EntityTargets } from './publisher-options.ts';

/** What is known of a change besides what it is about; subscribers get it as it is. */
export interface PublishDetails {
  /** What was done, such as `updated`. */
  readonly action?: string;
  /** What happened in the domain, such as `user.renamed`. */
  readonly event?: string;
  /** W3C `traceparent` of the request that changed the data. */
  readonly trace?: string;
  /** Flat texts, such as `{ org: 'ORG1' }`: for people and for filters. The data itself is read from its source. */
  readonly fields?: Readonly<Record<string, string>>;
  /** For caches whose loaders read replicas of a database: an upper bound of the commit, see {@link Lsn}. */
  readonly lsn?: Lsn;
}

/** One of several messages. */
export type Publication<E> = {
  readonly [K in EntityName<E>]: PublishDetails & { readonly entity: K; readonly id: E[K] };
}[EntityName<E>];

/** A message that was checked, and not yet sent. */
export interface Sendable {
  readonly targets: readonly Target[];
  readonly about: { readonly cause: Cause; readonly lsn: Lsn };
}

/** Most characters of all details together: each message is kept in the log, and read by every process. */
const LONGEST_DETAILS = 8_192;

/**
 * The message about an entity.
 *
 * @throws TidemarkError `INVALID_TARGET`, `INVALID_KEY` or `INVALID_OPTION`
 */
export function aboutEntity<E extends EntityMap<E>>(
  entities: { readonly [K in keyof E]: EntityTargets<E[K]> } | undefined,
  entity: EntityName<E>,
  id: EntityId,
  details: PublishDetails,
): Sendable {
  const isKnown =
    entities === undefined ? typeof entity === 'string' && entity !== '' : Object.hasOwn(entities, entity);
  if (!isKnown)
    throw new TidemarkError(
      'INVALID_TARGET',
      `There is no entity ${shorten(entity)}. ${entities === undefined ? 'Give a name' : `Known are ${Object.keys(entities).join(', ')}`}.`,
    );
  const isId = typeof id === 'bigint' || (typeof id === 'string' ? id !== '' : Number.isFinite(id));
  if (!isId)
    throw new TidemarkError(
      'INVALID_TARGET',
      `${shorten(id)} is no id of ${shorten(entity)}. Give a text or a number.`,
    );
  const targets = entities?.[entity] as EntityTargets<EntityId> | undefined;
  const covered = typeof targets === 'function' ? targets(id) : key(entity, id);
  return aboutTargets(Array.isArray(covered) ? (covered as readonly Target[]) : [covered as Target], details, {
    entityType: entity,
    entityId: String(id),
  });
}

/**
 * The message about targets.
 *
 * @throws TidemarkError `INVALID_TARGET` or `INVALID_OPTION`
 */
export function aboutTargets(targets: readonly Target[], details: PublishDetails, subject: Cause = {}): Sendable {
  if (targets.length === 0)
    throw new TidemarkError('INVALID_TARGET', 'A message covers nothing. Give it targets, or everything().');
  for (const it of targets) {
    if (isTarget(it)) continue;
    throw new TidemarkError(
      'INVALID_TARGET',
      `${shorten(it)} is not a target. Use key('user', 42), tag('org:7'), pattern('a:*') or everything().`,
    );
  }
  const { action, event, trace, fields = {}, lsn } = details;
  const texts = Object.entries({ action, event, trace }).filter(([, text]) => text !== undefined);
  const named = Object.entries(fields).map(([name, text]) => [`fields.${name}`, text] as const);
  let length = 0;
  for (const [name, text] of [...texts, ...named]) {
    if (typeof text !== 'string')
      throw new TidemarkError('INVALID_OPTION', `${name}: ${shorten(text)} is no text. Write it as one.`);
    length += name.length + text.length;
  }
  if (length > LONGEST_DETAILS)
    throw new TidemarkError(
      'INVALID_OPTION',
      `The details have ${length} characters. Give at most ${LONGEST_DETAILS}, and let subscribers read the data from its source.`,
    );
  if (lsn !== undefined && lsn !== 'unknown' && !(typeof lsn === 'bigint' && lsn === BigInt.asUintN(64, lsn)))
    throw new TidemarkError('INVALID_OPTION', `lsn: ${shorten(lsn)} is neither a bigint of 64 bits nor 'unknown'.`);
  const cause: Cause = {
    ...subject,
    ...(Object.fromEntries(texts) as Cause),
    ...(named.length > 0 ? { fields: { ...fields } } : {}),
  };
  return { targets, about: { cause, lsn } };
}
