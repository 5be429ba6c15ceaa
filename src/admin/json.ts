/** What is `undefined` is not there in JSON. */
export type Wire<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: T[K];
};

/**
 * JSON of what the library tells: bigints as text, and what is no number as null.
 *
 * @throws TypeError for what has no end
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, it: unknown) => (typeof it === 'bigint' ? String(it) : it)) ?? 'null';
}

export function jsonResponse(value: unknown, status = 200): Response {
  return new Response(jsonText(value), { status, headers: { 'content-type': 'application/json' } });
}
