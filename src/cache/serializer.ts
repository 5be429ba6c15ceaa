import { Packr } from 'msgpackr';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { findLost } from './json-loss.ts';

/**
 * Turns values into bytes for the store and back.
 *
 * It does not promise that what comes back is equal to what went in: that is between it and the values it is used for.
 */
export interface Serializer {
  /** Written into every envelope, so that a reader knows how. 16 to 255 are yours; a change of format takes a new one. */
  readonly id: number;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** A serializer of the package by its name, or your own. */
export type SerializerOption = 'json' | 'msgpack' | Serializer;

const OWN_IDS_FROM = 16;

/**
 * The serializers of a cache: the first writes, all of them read, so that `serializer` can be changed while entries of
 * the other kind are still stored. What they throw while encoding carries `UNSERIALISABLE`, while decoding
 * `INVALID_ENVELOPE`.
 *
 * @throws TidemarkError `INVALID_OPTION` for an unknown name, or a serializer with a wrong id or a missing method
 */
export function serializersOf(option: SerializerOption = 'json'): readonly [Serializer, ...Serializer[]] {
  if (option === 'json') return [json(), msgpack()];
  if (option === 'msgpack') return [msgpack(), json()];
  return [guarded(checkOwn(option), 'your serializer'), json(), msgpack()];
}

/**
 * JSON, as `JSON.stringify` has it: dates come back as texts, fields that are `undefined` not at all. What would be lost
 * without a trace (functions, symbols, maps, sets, promises) is refused.
 */
export function json(): Serializer {
  const encode = (value: unknown): Uint8Array => {
    const text: string | undefined = JSON.stringify(value);
    const lost = findLost(value);
    if (text === undefined || lost !== undefined) throw new TypeError(`value${lost ?? ' is undefined'}`);
    return Buffer.from(text);
  };
  return guarded({ id: 1, encode, decode: (bytes) => JSON.parse(textOf(bytes)) as unknown }, 'JSON');
}

/**
 * MessagePack with extensions: dates, maps, sets, bigints of any size, `undefined` in fields, `NaN`, typed arrays and
 * cycles come back as they were. Functions and symbols are refused, class instances come back as plain objects.
 *
 * Plain objects are written as msgpackr's records, which tell them from maps; other readers of MessagePack need that extension.
 */
export function msgpack(): Serializer {
  const packr = new Packr({ structuredClone: true, copyBuffers: true });
  Object.assign(packr, { writeFunction: refuseFunction });
  const encode = (value: unknown): Uint8Array => {
    if (value === undefined) throw new TypeError('value is undefined');
    return packr.pack(value);
  };
  return guarded({ id: 2, encode, decode: (bytes) => packr.unpack(bytes) as unknown }, 'MessagePack');
}

/** Without it a function would come back as `undefined`. */
function refuseFunction(): never {
  throw new TypeError('value holds a function');
}

function guarded(serializer: Serializer, name: string): Serializer {
  return {
    id: serializer.id,
    encode: (value) => {
      try {
        const bytes = serializer.encode(value);
        if (bytes instanceof Uint8Array) return bytes;
        throw new TypeError(`encode returned ${shorten(bytes)} instead of a Uint8Array`);
      } catch (cause) {
        throw unserialisable(name, cause);
      }
    },
    decode: (bytes) => {
      try {
        return serializer.decode(bytes);
      } catch (cause) {
        throw new TidemarkError('INVALID_ENVELOPE', `A stored value cannot be read by ${name}: ${messageOf(cause)}.`, {
          cause,
        });
      }
    },
  };
}

function unserialisable(name: string, cause: unknown): TidemarkError {
  return new TidemarkError(
    'UNSERIALISABLE',
    `The value cannot be stored by ${name}: ${messageOf(cause)}. Return plain data from the loader, choose \`serializer: 'msgpack'\` (dates, maps, sets, bigints, cycles), or give your own.`,
    { cause },
  );
}

function checkOwn(own: Serializer): Serializer {
  if (typeof own !== 'object' || own === null || typeof own.encode !== 'function' || typeof own.decode !== 'function') {
    throw new TidemarkError(
      'INVALID_OPTION',
      `serializer: ${shorten(own)} is none. Give 'json', 'msgpack' or { id, encode, decode }.`,
    );
  }
  if (Number.isInteger(own.id) && own.id >= OWN_IDS_FROM && own.id <= 255) return own;
  throw new TidemarkError(
    'INVALID_OPTION',
    `serializer.id: ${shorten(own.id)} is not an integer from ${OWN_IDS_FROM} to 255.`,
  );
}

function textOf(bytes: Uint8Array): string {
  if (Buffer.isBuffer(bytes)) return bytes.toString('utf8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : shorten(error);
}
