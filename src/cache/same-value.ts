import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../coherence/key.ts';

/**
 * Whether two values are the same to whoever reads them. Neither the order of fields matters, nor whether one that is `undefined` is
 * there: a store may not keep it. What it does keep otherwise, such as a date as a text, is another value.
 */
export function isSameValue(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other) || isSameJson(one, other);
}

function isSameJson(one: unknown, other: unknown): boolean {
  try {
    return canonicalJson(one) === canonicalJson(other);
  } catch {
    // What has no canonical JSON was compared as it is.
    return false;
  }
}
