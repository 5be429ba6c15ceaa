import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Reply } from './connection.ts';

/** @throws TidemarkError `INVALID_RECORD` unless the reply is a list */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : unexpected(reply, 'a list');
}

/** @throws TidemarkError `INVALID_RECORD` unless the reply is a number, or a text of one */
export function numberOf(reply: Reply | undefined): number {
  const number = typeof reply === 'number' ? reply : Number(textOf(reply) || Number.NaN);
  return Number.isNaN(number) ? unexpected(reply, 'a number') : number;
}

/** @throws TidemarkError `INVALID_RECORD` unless the reply is a text */
export function textOf(reply: Reply | undefined): string {
  if (typeof reply === 'string') return reply;
  if (Buffer.isBuffer(reply)) return reply.toString('utf8');
  return Buffer.from(bytesOf(reply)).toString('utf8');
}

/** @throws TidemarkError `INVALID_RECORD` unless the reply is a bulk string */
export function bytesOf(reply: Reply | undefined): Uint8Array {
  if (reply instanceof Uint8Array) return reply;
  return typeof reply === 'string' ? Buffer.from(reply, 'utf8') : unexpected(reply, 'a text');
}

/** The one value of a map of one entry, however the driver hands it over: list of pairs, flat list, object or `Map`. */
export function onlyValueOf(reply: Reply | undefined): Reply {
  if (reply instanceof Map) return [...reply.values()][0] as Reply;
  if (Array.isArray(reply)) {
    const [first, second] = reply as readonly Reply[];
    return second === undefined ? (listOf(first)[1] as Reply) : second;
  }
  if (typeof reply === 'object' && reply !== null && !(reply instanceof Uint8Array))
    return Object.values(reply)[0] as Reply;
  return unexpected(reply, 'a map');
}

function unexpected(reply: Reply | undefined, wanted: string): never {
  throw new TidemarkError(
    'INVALID_RECORD',
    `The server answered ${shorten(reply)} where ${wanted} is expected. Is it Redis 7.0 or later, and the driver ioredis or node-redis 5 or later?`,
  );
}
