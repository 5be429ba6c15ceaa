import { shorten, TidemarkError } from '../coherence/errors.ts';
import { fieldOf } from './field.ts';

/** What a field can be compared with in a file. */
export type Scalar = string | number | boolean;

/** The comparisons, and what each is true of. `undefined` where it cannot be told. */
const COMPARISONS: Readonly<Record<string, Comparison>> = {
  is: { takes: 'one', test: (value, given) => within(value, [given]) },
  not: { takes: 'one', test: (value, given) => negated(within(value, [given])) },
  in: { takes: 'list', test: within },
  notIn: { takes: 'list', test: (value, given) => negated(within(value, given)) },
  above: { takes: 'order', test: (value, given) => ordered(value, given, (a, b) => a > b) },
  below: { takes: 'order', test: (value, given) => ordered(value, given, (a, b) => a < b) },
  exists: { takes: 'flag', test: (value, given) => (value !== undefined) === given },
};

interface Comparison {
  readonly takes: 'one' | 'list' | 'order' | 'flag';
  readonly test: (value: unknown, given: unknown) => boolean | undefined;
}

/** One comparison of one field. */
interface Check {
  readonly field: string;
  readonly comparison: string;
  readonly given: unknown;
  readonly test: Comparison['test'];
}

/** A condition that was read: all of its checks have to be met. */
export type Condition = readonly Check[];

const TAKES: Readonly<Record<Comparison['takes'], readonly [(given: unknown) => boolean, string]>> = {
  one: [isScalar, 'a text, a number, true or false'],
  list: [(given) => Array.isArray(given) && given.length > 0 && given.every(isScalar), 'a list of texts or numbers'],
  order: [
    (given) => typeof given === 'string' || (typeof given === 'number' && !Number.isNaN(given)),
    'a number or a text',
  ],
  flag: [(given) => typeof given === 'boolean', 'true or false'],
};

/**
 * Reads what a file says of one field: a value that it has to be, or comparisons by name.
 *
 * @throws TidemarkError `INVALID_OPTION`
 */
export function checksOf(field: string, given: unknown): Check[] {
  if (isScalar(given)) return [{ field, comparison: 'is', given, test: comparisonNamed('is').test }];
  if (typeof given !== 'object' || given === null || Array.isArray(given) || Object.keys(given).length === 0)
    throw wrong(`${shorten(given)} is no comparison. Write a value, or one of ${names()}`);
  return Object.entries(given).map(([name, value]: [string, unknown]) => {
    const { takes, test } = comparisonNamed(name);
    const [fits, what] = TAKES[takes];
    if (!fits(value)) throw wrong(`${name}: ${shorten(value)} is not ${what}`);
    return { field, comparison: name, given: value, test };
  });
}

/**
 * Whether an event meets a condition. What cannot be told, for want of a field or of a comparable one, counts as met:
 * better a load too many than a value that stays.
 *
 * @param widened hears what could not be told
 */
export function meets(condition: Condition, event: object, widened: (why: string) => void): boolean {
  const results = condition.map((check) => ({ check, met: check.test(fieldOf(event, check.field), check.given) }));
  if (results.some(({ met }) => met === false)) return false;
  for (const { check, met } of results)
    if (met === undefined)
      widened(
        `${check.field} is missing or of another kind, so \`${check.comparison}\` ${shorten(check.given, 30)} counts as met`,
      );
  return true;
}

function comparisonNamed(name: string): Comparison {
  const found = Object.hasOwn(COMPARISONS, name) ? COMPARISONS[name] : undefined;
  if (found !== undefined) return found;
  throw wrong(`there is no comparison ${shorten(name)}. Known are ${names()}`);
}

function names(): string {
  return Object.keys(COMPARISONS).join(', ');
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && !Number.isNaN(value));
}

/** A text is never a number: where none of the list is of the kind of the value, the two cannot be compared. */
function within(value: unknown, list: unknown): boolean | undefined {
  const given = list as readonly unknown[];
  return given.some((it) => typeof it === typeof value) ? given.includes(value) : undefined;
}

function negated(met: boolean | undefined): boolean | undefined {
  return met === undefined ? undefined : !met;
}

function ordered(
  value: unknown,
  given: unknown,
  by: (a: string | number, b: string | number) => boolean,
): boolean | undefined {
  const alike = typeof value === typeof given && !Number.isNaN(value);
  return alike ? by(value as string | number, given as string | number) : undefined;
}

function wrong(problem: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `${problem}.`);
}
