import { z } from 'zod';
import type { Route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI 3.1 document of routes.
 *
 * @param name of the cache
 * @param base what paths begin with
 */
export function openApi(routes: readonly Route[], name: string, base: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: { title: `Operations of the cache ${name}`, version: '1' },
    servers: [{ url: base || '/' }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: schemaOf(errorAnswer) },
    },
  };
}

const errorAnswer = z.object({
  error: z.object({ code: z.string().describe('for programs'), message: z.string().describe('for people') }),
});

function operationOf(route: Route): Json {
  const { role, summary, body, answer, contentType, also } = route;
  const content = { [contentType]: { schema: schemaOf(answer) } };
  const answers = Object.entries(also).map(([status, description]) => [status, { description, content }]);
  return {
    ...{ summary, operationId: operationId(route), parameters: parametersOf(route) },
    ...(role === 'anyone' ? {} : { security: [{ token: [] }], 'x-role': role }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: {
      200: { description: summary, content },
      ...Object.fromEntries(answers),
      default: {
        description: 'why not',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

/** `GET /admin/cache/fleet` is `getAdminCacheFleet`. */
function operationId({ method, path }: Route): string {
  const words = path.split(/\W+/).filter((it) => it !== '');
  return method.toLowerCase() + words.map((it) => it.charAt(0).toUpperCase() + it.slice(1)).join('');
}

function parametersOf({ query }: Route): Json[] {
  const { properties = {}, required = [] } = schemaOf(query) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    ...{ name, in: 'query', required: required.includes(name), schema },
    ...(description !== undefined && { description }),
  }));
}

/** As it is sent, by whichever side sends it. */
function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
