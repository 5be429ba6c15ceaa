import type { Clock } from '../coherence/clock.ts';
import type { Logger } from '../index.ts';
import type { Operations } from '../operations/index.ts';
import type { AdminParts } from './admin-parts.ts';
import { type AdminOptions, type AdminSettings, adminSettings } from './admin-options.ts';
import { Audit } from './audit.ts';
import type { Caller, Peer } from './caller.ts';
import { Gate } from './gate.ts';
import { jsonResponse } from './json.ts';
import { LiveStream } from './live-stream.ts';
import { type NodeListener, nodeListener } from './node-listener.ts';
import { openApi } from './openapi.ts';
import { OriginRule } from './origin-rule.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { jsonBody } from './request-body.ts';
import { mayDo } from './role.ts';
import type { Route } from './route.ts';
import { RouteTable } from './route-table.ts';
import { routes } from './routes/index.ts';
import { queryOf, checked } from './validation.ts';

/** The HTTP API of one cache's operations: a function from a `Request` to a `Response`, whoever serves it. */
export class Admin {
  /** What there is, for documents and for frameworks. */
  readonly routes: readonly Route[] = routes;
  /** For `http.createServer`, and `app.use('/ops', admin.listener)` of Express and NestJS. */
  readonly listener: NodeListener;
  readonly #settings: AdminSettings;
  readonly #parts: AdminParts;
  readonly #table: RouteTable;
  readonly #gate: Gate;
  readonly #origins: OriginRule;
  readonly #audit: Audit;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  /** For {@link createAdmin}. */
  constructor(operations: Operations, settings: AdminSettings) {
    const { context } = operations.cache.parts;
    const { base, prometheus, showsValue, streams, origins } = settings;
    this.#settings = settings;
    this.#clock = context.clock;
    this.#logger = settings.logger ?? context.logger;
    const stream = new LiveStream(operations, context.clock, streams);
    const openapi = (): Readonly<Record<string, unknown>> => openApi(routes, operations.cache.name, base);
    this.#parts = { operations, clock: context.clock, stream, prometheus, showsValue, openapi };
    this.#table = new RouteTable(routes, base);
    this.#gate = new Gate(settings, context.clock);
    this.#origins = new OriginRule(origins);
    this.#audit = new Audit(this.#logger, settings.onAudit);
    this.listener = nodeListener(this.fetch);
  }

  /** As `listener`, where nobody takes off what paths begin with. @param base such as `/ops` */
  listenerAt(base: string): NodeListener {
    return nodeListener(this.fetch, base);
  }

  /** The OpenAPI 3.1 document of the routes. */
  openapi(): Readonly<Record<string, unknown>> {
    return this.#parts.openapi();
  }

  /**
   * Answers a request. Never rejects.
   *
   * @param peer where it comes from, for limits and the audit
   */
  readonly fetch = async (request: Request, peer: Peer = {}): Promise<Response> => {
    const work = this.#answer(request, peer).catch((error: unknown) => this.#refuse(error));
    this.#running.add(work);
    const response = await work;
    this.#running.delete(work);
    for (const [name, value] of Object.entries({ ...FIXED, ...this.#origins.headers(request) }))
      response.headers.set(name, value);
    if (request.method !== 'HEAD') return response;
    await response.body?.cancel();
    return new Response(null, response);
  };

  /** Ends the streams, and waits for what is being answered. The operations and the cache stay yours to close. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.stream.close();
    await Promise.allSettled(this.#running);
  }

  async #answer(request: Request, sender: Peer): Promise<Response> {
    const peer = { address: this.#settings.address?.(request) ?? sender.address };
    if (this.#closed) throw new Refusal(503, 'CLOSED', 'This instance is closing. Ask another.');
    const preflight = this.#origins.preflight(request);
    if (preflight !== undefined) return preflight;
    const url = new URL(request.url);
    const open = this.#table.open(request.method, url.pathname);
    // Nobody who is not let in is told what there is.
    const caller = await (open === undefined ? this.#gate.admit(request, peer) : this.#gate.recognise(request, peer));
    const route = open ?? this.#table.find(request.method, url.pathname);
    if (caller !== undefined && route.role === 'operator') return this.#change(route, request, caller, peer);
    return this.#handle(route, request, caller);
  }

  async #handle(route: Route, request: Request, caller: Caller | undefined, body?: unknown): Promise<Response> {
    const query = checked(route.query, queryOf(request), 'query');
    const answer = await route.handle({ request, query, body, caller, parts: this.#parts });
    return answer instanceof Response ? answer : jsonResponse(answer);
  }

  /** With a trace of who it was, whatever comes of it. */
  async #change(route: Route, request: Request, caller: Caller, { address }: Peer): Promise<Response> {
    const entry = { who: caller.name, role: caller.role, address, action: `${route.method} ${route.path}` };
    const note = (outcome: 'done' | 'denied' | 'failed', result: unknown): void =>
      this.#audit.record({ at: this.#clock.wall(), ...entry, outcome, request: body, result });
    let body: unknown;
    if (!mayDo(caller.role, 'operator')) {
      note('denied', undefined);
      throw new Refusal(403, 'FORBIDDEN', 'This takes an operator.');
    }
    try {
      this.#origins.checkChange(request);
      const { body: schema } = route;
      if (schema !== undefined)
        body = checked(schema, await jsonBody(request, this.#settings.body, this.#clock), 'body');
      const response = await this.#handle(route, request, caller, body);
      note('done', await response.clone().json());
      return response;
    } catch (error) {
      note('failed', refusalOf(error)?.code ?? 'INTERNAL');
      throw error;
    }
  }

  #refuse(error: unknown): Response {
    const refusal = refusalOf(error);
    if (refusal !== undefined) return refusal.response();
    this.#logger?.error({ event: 'cache_admin_failed', error }, 'cache_admin_failed: a request could not be answered');
    return new Refusal(500, 'INTERNAL', 'An error came up that the logs of this service tell of.').response();
  }
}

/** Nothing of it is to be kept by anybody on the way, nor taken for anything else than it says. */
const FIXED = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/**
 * Makes the HTTP API of operations. It does nothing until something serves it.
 *
 * @throws TidemarkError `INVALID_OPTION`, also without `access`: there is no API without a rule about who may use it
 * @example
 * const admin = createAdmin(createOperations(cache), { access: { tokens: { reader: process.env.OPS_READER_TOKEN } } });
 * http.createServer(admin.listener).listen(9090);
 */
export function createAdmin(operations: Operations, options: AdminOptions): Admin {
  return new Admin(operations, adminSettings(options));
}
