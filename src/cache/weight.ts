/** What an entry costs beside its value: the entry itself, its place in the LRU and in the map. Measured, see benchmarks. */
export const ENTRY_WEIGHT = 300;

/** Parts of a value that are looked at before the rest is estimated from them. */
const LOOKED_AT = 1_000;

/**
 * About how many bytes a value occupies in memory, a whole number: an estimate, for a bound that should hold within a
 * factor of two. Large values are sampled, so that weighing one costs microseconds.
 */
export function weigh(value: unknown): number {
  const left = { parts: LOOKED_AT };
  return Math.ceil(weighPart(value, left, 0));
}

function weighPart(value: unknown, left: { parts: number }, depth: number): number {
  left.parts--;
  switch (typeof value) {
    case 'string':
      return 24 + value.length * 2;
    case 'bigint':
      return 32;
    case 'object':
      return value === null ? 8 : weighObject(value, left, depth + 1);
    default:
      return 8;
  }
}

function weighObject(value: object, left: { parts: number }, depth: number): number {
  if (ArrayBuffer.isView(value)) return 96 + value.byteLength;
  const items: readonly unknown[] = Array.isArray(value)
    ? value
    : value instanceof Map
      ? [...value].flat()
      : value instanceof Set
        ? [...value]
        : Object.values(value);
  let weight = 40 + items.length * 8;
  if (depth > 50) return weight;
  for (let i = 0; i < items.length; i++) {
    // The rest is taken to be like what was seen.
    if (left.parts <= 0) return i === 0 ? weight : weight + ((weight - 40) / i) * (items.length - i);
    weight += weighPart(items[i], left, depth);
  }
  return weight;
}
