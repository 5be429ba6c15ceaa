import { writeFileSync } from 'node:fs';
import { inspect, isDeepStrictEqual } from 'node:util';

// What the programs made of documentation pages call. Each expectation that is reached is noted, and the notes are
// written when the process ends, so that one that is never reached is found.

/** Stands for the items of an object or array that are not listed. */
export const rest: unique symbol = Symbol('...');

const reached = new Set<string>();

process.once('exit', () => {
  const file = process.env['DOCS_REACHED'];
  if (file !== undefined) writeFileSync(file, JSON.stringify([...reached]));
});

/**
 * Compares a value with the expected one, or with the text that Node prints for it.
 *
 * @returns the value
 * @throws Error naming the place in the page if they differ
 */
export function expectValue<Value>(place: string, actual: Value, expected: string | (() => unknown)): Value {
  reached.add(place);
  const printed = inspect(actual, { breakLength: Number.POSITIVE_INFINITY, depth: null });
  if (typeof expected === 'string') {
    if (printed !== expected) throw new Error(`${place}: the page says ${expected}, but it is ${printed}`);
  } else if (!matches(actual, expected())) {
    throw new Error(`${place}: the page says ${inspect(expected(), { depth: null })}, but it is ${printed}`);
  }
  return actual;
}

/**
 * Expects a call to throw, or what it returns to reject, with an error of this code or name, or with this in its
 * message. Where the page awaits, so does `call`.
 */
export function expectThrow(place: string, call: () => unknown, text: string): unknown {
  reached.add(place);
  const nothing = (): never => {
    throw new Error(`${place}: the page says that this throws ${text}, but it does not`);
  };
  const compare = (error: unknown): void => {
    const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown };
    if (code === text || name === text || (text !== '' && String(message).includes(text))) return;
    throw new Error(`${place}: the page says that this throws ${text}, but it throws ${inspect(error)}`);
  };
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return compare(error);
  }
  return result instanceof Promise ? result.then(nothing, compare) : nothing();
}

function matches(actual: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    const open = expected.at(-1) === rest;
    const listed = open ? expected.slice(0, -1) : expected;
    if (!Array.isArray(actual) || (open ? actual.length < listed.length : actual.length !== listed.length))
      return false;
    return listed.every((item, index) => matches(actual[index], item));
  }
  if (!isPlainObject(expected)) return isDeepStrictEqual(actual, expected);
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return false;
  const listed = Object.keys(expected);
  const sameSize = rest in expected || Object.keys(actual).length === listed.length;
  return sameSize && listed.every((key) => key in actual && matches(Reflect.get(actual, key), expected[key]));
}

/** A class instance is compared by its properties with an object that the page writes. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
