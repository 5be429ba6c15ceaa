import { shorten } from '../coherence/errors.ts';
import { Refusal } from './refusal.ts';

/**
 * An event as [CloudEvents 1.0](https://github.com/cloudevents/spec) describes it: what its producer says of it, and its data.
 * `source` and `id` together name it: the same ones mean the same event, sent again.
 */
export interface CloudEvent<T = unknown> {
  readonly specversion: '1.0';
  readonly id: string;
  /** A URI reference. Its events are handled in the order in which they arrive. */
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  /** Values of JSON, text, or a `Uint8Array`, as `datacontenttype` says; nobody has checked their shape. */
  readonly data?: T;
  /** Attributes that the specification does not name, such as `traceparent` or `partitionkey`. */
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
}

type Attribute = string | number | boolean;

const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;
const TEXTS = [...REQUIRED, 'subject', 'time', 'datacontenttype', 'dataschema'] as const;

const NAME = /^[a-z0-9]+$/;
/** Of a URI or a reference to one (RFC 3986), the characters only: whether it leads anywhere is nobody's business here. */
const REFERENCE = /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})+$/i;
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:/i;
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(?:;|$)/;
/** Control characters, and halves of pairs of which the other is missing. */
const FORBIDDEN = /[\p{Cc}\p{Cs}]/u;

/**
 * @param given attributes by their names; those that are `null` or `undefined` are not there
 * @throws Refusal with what the specification asks for
 */
export function cloudEvent(given: Readonly<Record<string, unknown>>, data: unknown): CloudEvent {
  const attributes = new Map<string, Attribute>();
  for (const [name, value] of Object.entries(given))
    if (value !== null && value !== undefined) attributes.set(checkedName(name), checkedValue(name, value));
  for (const name of REQUIRED)
    if (!attributes.has(name)) throw malformed(`${name} is missing. Every event needs ${REQUIRED.join(', ')}.`);
  for (const name of TEXTS) checkText(name, attributes.get(name));
  const texts = Object.fromEntries([...attributes].filter(([name]) => isOwn(name)));
  const extensions = Object.fromEntries([...attributes].filter(([name]) => !isOwn(name)));
  return { ...texts, ...(data === undefined ? {} : { data }), extensions } as unknown as CloudEvent;
}

export function malformed(problem: string): Refusal {
  return new Refusal(400, `This is no CloudEvent 1.0: ${problem}`);
}

function isOwn(name: string): boolean {
  return (TEXTS as readonly string[]).includes(name);
}

function checkedName(name: string): string {
  if (NAME.test(name)) return name;
  throw malformed(`${shorten(name)} is no name of an attribute. Use lower-case letters a to z and digits.`);
}

function checkedValue(name: string, value: unknown): Attribute {
  if (typeof value === 'string') {
    if (!FORBIDDEN.test(value)) return value;
    throw malformed(`${name} has control characters or half a surrogate pair. Leave them out.`);
  }
  const isInteger = typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 31;
  if (isInteger || typeof value === 'boolean') return value;
  throw malformed(`${name} is ${shorten(JSON.stringify(value))}. Write a text, a boolean, or an integer of 32 bits.`);
}

function checkText(name: (typeof TEXTS)[number], value: Attribute | undefined): void {
  if (value === undefined) return;
  if (typeof value !== 'string' || value === '')
    throw malformed(`${name} is ${shorten(value)}. Give a text that is not empty.`);
  const cure = wrongText(name, value);
  if (cure !== undefined) throw malformed(`${name} is ${shorten(value)}. ${cure}`);
}

function wrongText(name: (typeof TEXTS)[number], value: string): string | undefined {
  switch (name) {
    case 'specversion':
      return value === '1.0' ? undefined : 'Send version 1.0.';
    case 'source':
      return REFERENCE.test(value) ? undefined : 'Give a URI reference (RFC 3986), other characters percent-encoded.';
    case 'dataschema':
      return REFERENCE.test(value) && ABSOLUTE.test(value) ? undefined : 'Give an absolute URI (RFC 3986).';
    case 'time':
      return TIME.test(value) && !Number.isNaN(Date.parse(value)) ? undefined : 'Give a time as RFC 3339 writes it.';
    case 'datacontenttype':
      return MEDIA_TYPE.test(value) ? undefined : 'Give a media type such as application/json.';
    default:
      return undefined;
  }
}
