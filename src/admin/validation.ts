import { z } from 'zod';
import { Refusal } from './refusal.ts';

/** Most problems that are told of at once. */
const MOST = 3;

/** What a schema makes of what was sent. @throws Refusal 400, which repeats no value */
export function checked<T extends z.ZodType>(schema: T, sent: unknown, where: 'query' | 'body'): z.output<T> {
  const { success, data, error } = schema.safeParse(sent);
  if (success) return data;
  const problems = error.issues.slice(0, MOST).map(({ path, message }) => {
    const place = [where, ...path.map(String)].join('.');
    return `${place.slice(0, 80)}: ${message.slice(0, 200)}`;
  });
  throw new Refusal(400, 'INVALID_REQUEST', `${problems.join('; ')}.`);
}

/** The query string, in which nothing may be said twice. @throws Refusal 400 */
export function queryOf(request: Request): Readonly<Record<string, string>> {
  const { searchParams } = new URL(request.url);
  const names = [...searchParams.keys()];
  if (new Set(names).size < names.length)
    throw new Refusal(400, 'INVALID_REQUEST', 'query: something is said twice. Say it once.');
  return Object.fromEntries(searchParams);
}

/** For routes that ask for nothing. */
export const nothing: z.ZodType<object> = z.strictObject({});

/** How many of something are wanted. */
export function most(fallback: number): z.ZodDefault<z.ZodCoercedNumber> {
  return z.coerce.number().int().min(1).max(1_000).default(fallback).describe('at most so many, 1 to 1,000');
}
