import { inspect } from 'node:util';
import { jsonText } from './json.ts';

/** Most characters of a value that are shown. */
const MOST = 64 * 1_024;

/** A cached value, as far as it can be shown: as JSON, or the beginning of its text. */
export type ShownValue = { readonly value: unknown } | { readonly text: string; readonly characters: number };

export function shownValue(value: unknown): ShownValue {
  const text = textOf(value);
  if (text === undefined || text.length > MOST) {
    const shown = text ?? inspect(value, { depth: 4, maxArrayLength: 100, maxStringLength: 1_000 });
    return { text: shown.slice(0, MOST), characters: shown.length };
  }
  return { value: JSON.parse(text) as unknown };
}

/** `undefined` for what JSON cannot say. */
function textOf(value: unknown): string | undefined {
  try {
    return jsonText(value);
  } catch {
    return undefined;
  }
}
