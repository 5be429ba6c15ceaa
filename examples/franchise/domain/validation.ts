import { Problem } from './problem.ts';

/** A field of a request: what JSON Schema checks, and in words what it must be, with an example to copy. */
export interface Field {
  readonly type: 'string' | 'number' | 'integer';
  /** Completes the sentence "<name> must be ...". */
  readonly description: string;
  readonly examples: readonly [string | number];
  readonly [keyword: string]: unknown;
}

/** JSON Schema of an object with these fields and no others. All are required unless `optional` is said. */
export function fields(properties: Record<string, Field>, required: 'required' | 'optional' = 'required'): object {
  const names = required === 'required' ? Object.keys(properties) : [];
  return { type: 'object', additionalProperties: false, properties, required: names };
}

export const period: Field = {
  type: 'string',
  pattern: '^20[0-9]{2}-(0[1-9]|1[0-2])$',
  description: 'a month as YYYY-MM',
  examples: ['2025-11'],
};

/** An identifier is text without control characters. Whether it is known is for the database to say. */
export const id = (what: string, example: string): Field => ({
  type: 'string',
  pattern: '^[^\\u0000-\\u001f\\u007f]{1,64}$',
  description: `the id of a ${what}`,
  examples: [example],
});

export const amount = (example: number): Field => ({
  type: 'number',
  minimum: 0,
  maximum: 1e9,
  description: 'an amount from 0 to 1000000000',
  examples: [example],
});

/** What Ajv reports with `verbose: true`: also the schema that failed and the value given. */
export interface Failure {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly parentSchema?: Partial<Field> & { readonly properties?: Record<string, Field> };
  readonly data?: unknown;
}

/** Says which field is at fault, why, and what to send instead. @param part `body`, `querystring` or `params` */
export function invalid(failures: readonly Failure[], part: string): Problem {
  const [failure] = failures;
  if (!failure) return new Problem(400, 'bad_request', `The ${part} is not valid.`);
  const known = failure.parentSchema?.properties ?? {};
  if (failure.keyword === 'required') {
    const name = String(failure.params['missingProperty']);
    return bad(name, `${name} is missing. It must be ${known[name]?.description}.`, suggest(part, name, known[name]));
  }
  if (failure.keyword === 'additionalProperties') {
    const name = String(failure.params['additionalProperty']);
    return bad(name, `${name} is not known here.`, `Leave it out. Known are: ${Object.keys(known).join(', ')}.`);
  }
  const name = failure.instancePath.slice(1);
  if (name === '') return bad(part, `The ${part} must be a JSON object.`, `Send ${Object.keys(known).join(', ')}.`);
  const field = failure.parentSchema;
  return bad(name, `${name} must be ${field?.description}, not ${shown(failure.data)}.`, suggest(part, name, field));
}

function bad(field: string, message: string, cure: string): Problem {
  return new Problem(400, 'bad_request', message, { field, cure });
}

function suggest(part: string, name: string, field: Partial<Field> | undefined): string {
  const [example] = field?.examples ?? [];
  return part === 'body'
    ? `Send for example "${name}": ${JSON.stringify(example)}.`
    : `Send for example ?${name}=${example}.`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
