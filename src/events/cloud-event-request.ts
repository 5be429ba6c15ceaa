import { shorten } from '../coherence/errors.ts';
import { type CloudEvent, cloudEvent, malformed } from './cloud-event.ts';
import { Refusal } from './refusal.ts';
import { readBody } from './request-body.ts';

/**
 * The events of a request, in any of the modes of the HTTP binding of CloudEvents 1.0: binary, structured as JSON, or a batch of
 * JSON.
 *
 * @param limit most bytes of the body
 * @throws Refusal 400 for what the specification does not allow, 413 and 415
 */
export async function cloudEventsOf(request: Request, limit: number): Promise<readonly CloudEvent[]> {
  const encoding = request.headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity')
    throw new Refusal(415, `The body is encoded as ${shorten(encoding)}. Send it as it is.`, {
      'accept-encoding': 'identity',
    });
  const type = request.headers.get('content-type') ?? '';
  const mediaType = mediaTypeOf(type);
  if (!mediaType.startsWith('application/cloudevents')) return [await binary(request, type, limit)];
  if (mediaType === 'application/cloudevents+json') return [structured(parse(await readBody(request, limit)))];
  if (mediaType === 'application/cloudevents-batch+json') return batch(parse(await readBody(request, limit)));
  throw new Refusal(
    415,
    `The format ${shorten(mediaType)} is not known here. Send application/cloudevents+json, application/cloudevents-batch+json, or the binary mode.`,
  );
}

async function binary(request: Request, type: string, limit: number): Promise<CloudEvent> {
  const { headers } = request;
  if (!headers.has('ce-specversion') && !headers.has('ce-id'))
    throw new Refusal(
      415,
      `There is no CloudEvent in ${type === '' ? 'a request without Content-Type' : shorten(type)}. Send application/cloudevents+json, application/cloudevents-batch+json, or headers that begin with ce-.`,
    );
  if (headers.has('ce-datacontenttype')) throw malformed('ce-datacontenttype is not allowed. Use Content-Type.');
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of headers) if (name.startsWith('ce-')) attributes[name.slice(3)] = headerText(name, value);
  if (type !== '') attributes['datacontenttype'] = type;
  const body = await readBody(request, limit);
  return cloudEvent(attributes, body.length === 0 ? undefined : decode(body, type));
}

function structured(value: unknown): CloudEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('the body is no JSON object. Send one event, or a batch as application/cloudevents-batch+json.');
  const { data, data_base64: base64, ...attributes } = value as Record<string, unknown>;
  if (base64 === undefined || base64 === null) return cloudEvent(attributes, data);
  if (data !== undefined) throw malformed('there are data and data_base64. Send one of them.');
  if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    throw malformed('data_base64 is not in Base64 (RFC 4648).');
  const type = attributes['datacontenttype'];
  return cloudEvent(attributes, decode(Buffer.from(base64, 'base64'), typeof type === 'string' ? type : ''));
}

function batch(value: unknown): readonly CloudEvent[] {
  if (!Array.isArray(value)) throw malformed('the body of a batch is no JSON array. Send an array of events.');
  return value.map((it, i) => {
    try {
      return structured(it);
    } catch (error) {
      throw error instanceof Refusal ? new Refusal(error.status, `Event ${i} of the batch: ${error.message}`) : error;
    }
  });
}

/** Data as its media type says: JSON as its values, text as text, anything else as bytes. */
function decode(body: Uint8Array, type: string): unknown {
  const mediaType = mediaTypeOf(type);
  if (mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json')) return parse(body);
  return mediaType.startsWith('text/') ? textOf(body) : new Uint8Array(body);
}

function parse(body: Uint8Array): unknown {
  const text = textOf(body);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(`the body is not JSON, though its type says so (${(error as Error).message}).`);
  }
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw malformed('the body is not UTF-8.');
  }
}

/**
 * A header's value as the binding says: a quoted text of older senders unquoted, then one round of percent-decoding. A `%` that
 * begins no such code stays, as of senders that do not encode.
 */
function headerText(name: string, value: string): string {
  const plain = /^".*"$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
  try {
    return plain.replaceAll(/(?:%[0-9a-f]{2})+/gi, decodeURIComponent);
  } catch {
    throw malformed(`${name} is percent-encoded in something else than UTF-8.`);
  }
}

function mediaTypeOf(type: string): string {
  return (type.split(';', 1)[0] as string).trim().toLowerCase();
}
