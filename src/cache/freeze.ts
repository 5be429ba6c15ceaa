/**
 * Freezes plain objects and arrays, all the way down: values in memory are shared by every reader, and a reader that
 * changes one changes it for all. Other objects (dates, maps, buffers, class instances) are left as they are.
 */
export function deepFreeze(value: unknown): void {
  // A list of what is left, not a recursion: values may be nested deeper than the stack is.
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (!freezable(next)) continue;
    Object.freeze(next);
    for (const part of Object.values(next)) left.push(part);
  }
}

function freezable(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
