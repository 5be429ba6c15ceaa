import { type Attributes, SpanKind } from '@opentelemetry/api';
import { describeTarget } from '../coherence/target.ts';
import type { Cause, Traced } from '../index.ts';

/** How a span looks: names and attributes after OpenTelemetry's conventions for databases and messaging where they have some. */
export interface SpanForm {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

export interface SpanFormOptions {
  /** The name of the cache. */
  readonly cache: string;
  /** Whether keys, tags and ids may be told. */
  readonly keys: boolean;
}

/** Most keys or targets that one attribute names. */
const MOST_NAMED = 20;

/** What a span is called, and what is told of it at its start. */
export function formOf(about: Traced, options: SpanFormOptions): SpanForm {
  const { name, kind, attributes } = parts(about, options);
  return { name, kind, attributes: defined({ 'tidemark.cache': options.cache, ...attributes }) };
}

function parts(about: Traced, { cache, keys }: SpanFormOptions): SpanForm {
  switch (about.type) {
    case 'load':
      return {
        name: `load ${about.query ?? cache}`,
        kind: SpanKind.INTERNAL,
        attributes: { 'tidemark.query': about.query, 'tidemark.key': keys ? about.key : undefined },
      };
    case 'store-get':
      return ofStore('get', cache, about.system, {
        // The conventions have it only where there is more than one.
        'db.operation.batch.size': about.keys.length > 1 ? about.keys.length : undefined,
        'tidemark.keys': keys ? about.keys.slice(0, MOST_NAMED) : undefined,
      });
    case 'store-set':
      return ofStore('set', cache, about.system, {
        'tidemark.bytes': about.bytes,
        'tidemark.key': keys ? about.key : undefined,
      });
    case 'invalidate':
    case 'announce':
    case 'publish':
      return {
        name: `${about.type} ${cache}`,
        kind: SpanKind.INTERNAL,
        attributes: {
          'tidemark.node': about.node,
          'tidemark.targets.count': about.targets.length,
          'tidemark.targets': keys ? about.targets.slice(0, MOST_NAMED).map(describeTarget) : undefined,
          ...ofCause(about.cause, keys),
        },
      };
    case 'append':
      return {
        name: `append ${cache}`,
        kind: SpanKind.PRODUCER,
        attributes: { ...ofLog('append', 'send', cache, about.node), 'messaging.batch.message_count': about.drafts },
      };
    case 'apply': {
      const { record } = about;
      return {
        name: `apply ${cache}`,
        kind: SpanKind.CONSUMER,
        attributes: {
          ...ofLog('apply', 'process', cache, about.node),
          'messaging.message.id': record.id,
          'tidemark.log.epoch': about.epoch,
          'tidemark.record.number': record.number,
          'tidemark.record.kind': record.kind,
          'tidemark.record.origin': record.origin,
          // By the clocks of two machines: for people.
          'tidemark.record.delay_ms': about.at - record.time,
          'tidemark.targets': keys ? record.targets?.slice(0, MOST_NAMED) : undefined,
          ...ofCause(record.cause, keys),
        },
      };
    }
    default:
      return about satisfies never;
  }
}

function ofStore(operation: string, cache: string, system: string | undefined, more: Attributes): SpanForm {
  return {
    name: `${operation} ${cache}`,
    kind: system === undefined ? SpanKind.INTERNAL : SpanKind.CLIENT,
    attributes: { 'db.system.name': system, 'db.operation.name': operation, ...more },
  };
}

function ofLog(operation: string, type: string, cache: string, node: string): Attributes {
  return {
    'messaging.system': 'tidemark',
    'messaging.operation.name': operation,
    'messaging.operation.type': type,
    'messaging.destination.name': cache,
    'messaging.client.id': node,
    'tidemark.node': node,
  };
}

function ofCause(cause: Cause | undefined, keys: boolean): Attributes {
  return {
    'tidemark.event': cause?.event,
    'tidemark.entity_type': cause?.entityType,
    'tidemark.entity_id': keys ? cause?.entityId : undefined,
    'tidemark.action': cause?.action,
  };
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
