import { segment } from '../coherence/key.ts';
import type { Filling } from './template.ts';

/** The field of an event, or of what is in it: `userId`, `data.user.id`. A field that is `null` is as good as none. */
export function fieldOf(event: object, path: string): unknown {
  let found: unknown = event;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found ?? undefined;
}

/** The field as a part of a target: what it is as the argument of a query, and as text. */
export function fillingOf(event: object, path: string): Filling | undefined {
  const value = fieldOf(event, path);
  if (value === undefined) return undefined;
  try {
    return { segment: segment(value), text: textOf(value) };
  } catch {
    return undefined; // No query can have it as an argument, so nothing is known of what it stands for.
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? String(value)
    : undefined;
}
