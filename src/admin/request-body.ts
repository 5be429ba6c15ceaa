import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import { shorten } from '../coherence/errors.ts';
import { Refusal } from './refusal.ts';

/** What a body may be. */
export interface BodyLimits {
  /** Most bytes. */
  readonly most: number;
  /** How long it may take to arrive, in ms. */
  readonly patience: number;
}

/**
 * The JSON of a request. No more of it is kept than may be, and it is not waited for longer than may be.
 *
 * @throws Refusal 415 for what is not JSON by its type, 413, 408, and 400 for what is not JSON after all
 */
export async function jsonBody(request: Request, { most, patience }: BodyLimits, clock: Clock): Promise<unknown> {
  checkType(request.headers);
  const stream = request.body?.getReader();
  const late = (): Refusal =>
    new Refusal(408, 'TIMEOUT', `The body did not arrive within ${patience} ms. Send it again.`, {
      connection: 'close',
    });
  try {
    checkLength(Number(request.headers.get('content-length') ?? 0), most);
    const bytes = stream === undefined ? new Uint8Array() : await within(clock, patience, read(stream, most), late);
    return parse(bytes);
  } finally {
    // What is left of it is nobody's any more.
    await stream?.cancel().catch(() => {});
  }
}

function checkType(headers: Headers): void {
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (type !== 'application/json')
    throw new Refusal(415, 'UNSUPPORTED_TYPE', `${shorten(type)} is not read here. Send application/json.`);
  if (encoding.toLowerCase() !== 'identity')
    throw new Refusal(415, 'UNSUPPORTED_TYPE', `The body is encoded as ${shorten(encoding)}. Send it as it is.`);
}

function checkLength(length: number, most: number): void {
  if (length > most)
    // Nobody reads the rest: the connection is of no more use.
    throw new Refusal(413, 'TOO_LARGE', `The body is longer than ${most} bytes. Send several requests.`, {
      connection: 'close',
    });
}

async function read(stream: ReadableStreamDefaultReader<Uint8Array>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await stream.read().catch(() => {
      throw new Refusal(400, 'INVALID_REQUEST', 'The body broke off. Send the request again.');
    });
    if (done) return Buffer.concat(chunks);
    length += value.length;
    checkLength(length, most);
    chunks.push(value);
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // What the parser says repeats a part of the body, which need not be in anybody's log.
    throw new Refusal(400, 'INVALID_REQUEST', 'The body is not JSON in UTF-8.');
  }
}
