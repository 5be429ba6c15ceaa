import { Refusal } from './refusal.ts';
import type { Route } from './route.ts';

/** Finds routes by method and path. Paths are compared as they are sent: nothing in them is decoded or followed. */
export class RouteTable {
  readonly #byPath = new Map<string, Map<string, Route>>();
  readonly #base: string;

  /** @param base taken off a path that begins with it */
  constructor(routes: readonly Route[], base: string) {
    this.#base = base;
    for (const route of routes) {
      const methods = this.#byPath.get(route.path) ?? new Map<string, Route>();
      this.#byPath.set(route.path, methods.set(route.method, route));
    }
  }

  /** The route, if it is for anyone. */
  open(method: string, path: string): Route | undefined {
    const route = this.#methods(path)?.get(withoutHead(method));
    return route?.role === 'anyone' ? route : undefined;
  }

  /** @throws Refusal 404, 405 */
  find(method: string, path: string): Route {
    const methods = this.#methods(path);
    if (methods === undefined)
      throw new Refusal(
        404,
        'NOT_FOUND',
        'There is no such path. GET /admin/cache/openapi.json lists those there are.',
      );
    const route = methods.get(withoutHead(method));
    if (route !== undefined) return route;
    const allowed = [...methods.keys()].join(', ');
    throw new Refusal(405, 'METHOD_NOT_ALLOWED', `This is asked for by ${allowed}.`, { allow: allowed });
  }

  #methods(path: string): Map<string, Route> | undefined {
    const under = this.#base !== '' && path.startsWith(`${this.#base}/`);
    return this.#byPath.get(under ? path.slice(this.#base.length) : path);
  }
}

function withoutHead(method: string): string {
  return method === 'HEAD' ? 'GET' : method;
}
