import { type Hash, murmur128 } from './hash.ts';
import { ancestors } from './key.ts';

/**
 * The hashable form of what an entry depends on: its key, each key above it, each of its tags. 64 bits, computed over a
 * kind byte and the text, so that a key and a tag of the same name differ.
 */
export type Label = Hash;

/** Part of the protocol: ASCII `tide`, read as a little-endian word. */
const SEED = 0x65646974;

/** The kind byte before the text: ASCII `k` or `t`. */
const KEY = 0x6b;
const TAG = 0x74;

/** The label of a canonical key, whether it is an entry's own or above one. */
export function keyLabel(key: string): Label {
  return murmur128(KEY, key, SEED);
}

/** The label of a tag. */
export function tagLabel(tag: string): Label {
  return murmur128(TAG, tag, SEED);
}

/** Every label of an entry: its own key first, then the keys above it, then its tags. */
export function entryLabels(key: string, tags: readonly string[]): Label[] {
  return [keyLabel(key), ...ancestors(key).map(keyLabel), ...tags.map(tagLabel)];
}

/** Labels of both lists, each once. */
export function uniteLabels(some: readonly Label[], others: readonly Label[]): readonly Label[] {
  const missing = others.filter((label) => !some.some((known) => sameLabel(known, label)));
  return missing.length === 0 ? some : [...some, ...missing];
}

export function sameLabel(a: Label, b: Label): boolean {
  return a.high === b.high && a.low === b.low;
}

/** A label as a map key. */
export function labelText(label: Label): string {
  return (label.high >>> 0).toString(16).padStart(8, '0') + (label.low >>> 0).toString(16).padStart(8, '0');
}
