import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cache, createCache } from '../cache/cache.ts';
import { tag } from '../coherence/target.ts';
import { createOperations, type Operations } from '../operations/index.ts';
import { type Admin, createAdmin } from './admin.ts';

const TOKEN = 'operator-token-0123456789';

let cache: Cache;
let operations: Operations;
let admin: Admin;
beforeAll(async () => {
  cache = createCache({ name: 'shop' });
  operations = createOperations(cache);
  const prometheus = () => ({ contentType: 'text/plain', body: 'up 1\n' });
  admin = createAdmin(operations, { access: { tokens: { operator: TOKEN } }, prometheus, values: true });
  const users = cache.query({ name: 'user', load: async (id: number) => ({ id }), tags: () => ['org:7'] });
  await users(42);
  await users(42);
  await cache.invalidate([tag('org:7')], { cause: { event: 'changed', entityType: 'org', fields: { org: '7' } } });
  await users(42);
});
afterAll(async () => {
  await admin.close();
  await operations.close();
  await cache.close();
});

async function ask(path: string, method = 'GET', body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return admin.fetch(
    new Request(`http://localhost${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) }),
  );
}

interface Operation {
  readonly parameters: readonly { readonly name: string }[];
  readonly requestBody?: object;
  readonly security?: object;
  readonly responses: object;
}

it('the document is OpenAPI 3.1, and has every route', async () => {
  const document = (await (await ask('/admin/cache/openapi.json')).json()) as Record<string, unknown>;
  expect(document).toEqual(admin.openapi());
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  expect(result).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  const paths = document['paths'] as Record<string, Record<string, Operation>>;
  expect(Object.entries(paths).flatMap(([path, it]) => Object.keys(it).map((method) => `${method} ${path}`))).toEqual(
    admin.routes.map(({ method, path }) => `${method.toLowerCase()} ${path}`),
  );
  for (const { path, method, role, body, summary } of admin.routes) {
    const operation = paths[path]?.[method.toLowerCase()];
    expect(operation).toMatchObject({ summary, responses: { 200: {}, default: {} } });
    expect([operation?.security === undefined, operation?.requestBody === undefined]).toEqual([
      role === 'anyone',
      body === undefined,
    ]);
  }
  const ids = Object.values(paths).flatMap((it) =>
    Object.values(it).map((one) => (one as { operationId?: string }).operationId),
  );
  expect(new Set(ids).size).toBe(admin.routes.length);
  expect(paths['/admin/cache/keys']?.['get']?.parameters).toContainEqual({
    ...{ name: 'most', in: 'query', required: false, description: expect.any(String) },
    schema: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
  });
});

/** What routes are asked by; a route that is not named here is asked by its path. */
const ASKED: Readonly<Record<string, readonly [query: string, body?: object]>> = {
  '/admin/cache/entry': ['?key=user:42&value=1'],
  '/admin/cache/keys': ['?prefix=user'],
  '/admin/cache/verdicts': [`?keys=${encodeURIComponent('["user:42"]')}`],
  '/api/system/cache/invalidate': ['', { tags: ['x'] }],
};

/** There is nothing to tell about here, or no JSON. */
const ELSEWHERE = ['/metrics', '/admin/cache/stream', '/admin/cache/server'];

it('each answer has what its schema says, and nothing else', async () => {
  for (const { path, method, answer } of admin.routes) {
    if (ELSEWHERE.includes(path)) continue;
    const [query, body] = ASKED[path] ?? [''];
    const response = await ask(path + query, method, body);
    const told: unknown = await response.json();
    expect([path, response.status]).toEqual([path, 200]);
    // A field that no schema names would be left out here.
    expect([path, answer.parse(told)]).toEqual([path, told]);
  }
});
