import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Migration } from './read-request.ts';

/**
 * Lifts a value of another version. What that is, nobody checks: it is what another release has written. (A method's parameter
 * may be narrowed, so `(old: BudgetV1) => ...` is taken as well as `(old) => ...`, whose `old` is unknown.)
 */
type Lift<T> = { lift(old: unknown): NoInfer<T> | undefined }['lift'];

/** By version, what makes a value of this version of what that one has kept. */
export type Migrate<T> = Readonly<Record<number, Lift<T>>>;

/** Highest version: places are keys, and have an end. */
const MOST = 999_999_999;

/** @throws TidemarkError `INVALID_OPTION` for a version that is none, and for migrations from what is no other version */
export function checkVersion(
  { version = 1, migrate }: { readonly version?: number; readonly migrate?: Migrate<unknown> },
  where: string,
): void {
  if (!isVersion(version))
    throw invalid(where, `version: ${shorten(version)} is not a whole number from 1 on. Count up from 2`);
  if (migrate === undefined) return;
  const given: unknown = migrate;
  if (typeof given !== 'object' || given === null)
    throw invalid(where, `migrate: ${shorten(given)} is not an object. Write migrate: { 1: (old) => ... }`);
  for (const [from, lift] of Object.entries(given)) {
    if (!isVersion(Number(from)) || String(Number(from)) !== from)
      throw invalid(where, `migrate: ${shorten(from)} is not a version. Its names are whole numbers from 1 on`);
    if (Number(from) === version)
      throw invalid(where, `migrate: ${from} is this very version. Raise \`version\`, or leave it out`);
    if (typeof lift !== 'function')
      throw invalid(where, `migrate: ${from} is not a function. Give one that takes the old value and returns the new`);
  }
}

/** The highest version first: it is nearest to what the newest release writes. */
export function migrationsOf(migrate: Migrate<unknown> | undefined): readonly Migration[] | undefined {
  if (migrate === undefined) return undefined;
  return Object.entries(migrate)
    .map(([from, lift]) => ({ from: Number(from), lift: (old: unknown): unknown => settled(lift(old)) }))
    .sort((a, b) => b.from - a.from);
}

/** A reader would be given the promise, and a store nothing. */
function settled(value: unknown): unknown {
  if (!(value instanceof Promise)) return value;
  value.catch(() => {});
  throw new TypeError('migrate returned a promise: it has to make the value of the old one alone, at once');
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MOST;
}

function invalid(where: string, problem: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `${where}: ${problem}.`);
}
