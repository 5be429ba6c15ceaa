import type { z } from 'zod';
import type { AdminParts } from './admin-parts.ts';
import type { Caller } from './caller.ts';
import type { Required } from './role.ts';

/** One request of a route, after everything about it was checked. */
export interface Call<Q = unknown, B = unknown> {
  readonly request: Request;
  readonly query: Q;
  readonly body: B;
  /** Of a route for anyone `undefined`, unless they have said who they are. */
  readonly caller: Caller | undefined;
  readonly parts: AdminParts;
}

/** A path of the API: what may be asked there by whom, what comes back, and who answers. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly role: Required;
  /** One line, for the document and the table in the docs. */
  readonly summary: string;
  /** Of the query string. One that is not named in it is refused. */
  readonly query: z.ZodType;
  /** Of the JSON in the body; `undefined` where none is read. */
  readonly body: z.ZodType | undefined;
  /** What comes back with status 200, as `contentType`. */
  readonly answer: z.ZodType;
  readonly contentType: string;
  /** Other statuses that have the same answer, with what each means. */
  readonly also: Readonly<Record<number, string>>;
  readonly handle: (call: Call) => unknown;
}

interface RouteParts<Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>
  extends Pick<Route, 'method' | 'path' | 'role' | 'summary'>,
    Partial<Pick<Route, 'contentType' | 'also'>> {
  readonly query: Q;
  readonly body?: B;
  readonly answer: A;
  /** @returns what is sent as JSON, or a whole answer */
  readonly handle: (call: Call<z.output<Q>, z.output<B>>) => Answer<z.input<A>> | Promise<Answer<z.input<A>>>;
}

type Answer<T> = T | Response;

/** Makes a route whose handler is given what its schemas say, and returns what they say. */
export function route<Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  parts: RouteParts<Q, B, A>,
): Route {
  const { handle, ...rest } = parts;
  return {
    ...{ body: undefined, contentType: 'application/json', also: {} },
    ...rest,
    // What is handed in was made by these schemas.
    handle: (call) => handle(call as Call<z.output<Q>, z.output<B>>),
  };
}
