/**
 * Freezes plain objects and arrays, all the way down: values in memory are shared by every reader, and a reader that
 * changes one changes it for all. Other objects (dates, maps, buffers, class instances) are left as they are.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (!Array.isArray(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return;
  }
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
