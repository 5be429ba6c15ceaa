import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dayOf, type Interval, overlaps } from './interval.ts';

/**
 * What is wrong with the calendar: `slow` answers after 300 ms, `error` with 500, `garbage` with something that is no JSON; `hang`
 * does nothing until it is mended, and then what it was told; `lost` does it at once, and ends the connection without a word.
 */
export type Failure = 'none' | 'slow' | 'error' | 'hang' | 'garbage' | 'lost';

/** The requests that fail: all, or those of one kind. */
export type Operation = 'busy' | 'hold' | 'confirm' | 'release';

const failures: readonly string[] = ['none', 'slow', 'error', 'hang', 'garbage', 'lost'] satisfies Failure[];

interface Entry extends Interval {
  /** `private`: somebody's own, not made by the booking service. */
  readonly state: 'held' | 'confirmed' | 'private';
  /** When a hold is forgotten, in ms since 1970. */
  readonly expires: number;
}

/** How long a hold is kept, in ms. */
const HOLD = 120_000;

/** Stands for somebody else's calendar API, which knows nothing of this service: in memory, with failures to be switched on. */
export class CalendarServer {
  readonly #calendars = new Map<string, Map<string, Entry>>();
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));
  readonly #subscribers = new Set<string>();
  /** Ids of events that were removed: they never come back, however late a request for them is. */
  readonly #gone = new Set<string>();
  #mended = deferred();
  #waiting = 0;
  #failure: { readonly kind: Failure; readonly only: Operation | undefined } = { kind: 'none', only: undefined };

  /** @param port 0 takes a free one. Returns the address. */
  async listen(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  fail(kind: Failure, only?: Operation): void {
    this.#mended.resolve();
    this.#mended = deferred();
    this.#failure = { kind, only };
  }

  /** Hears by POST of every private event, as `{ calendarId, day }`: calendars tell of changes, as far as they get through. */
  subscribe(url: string): void {
    this.#subscribers.add(url);
  }

  /** Requests that hang. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What is in a calendar now. */
  events(calendarId: string): { readonly eventId: string; readonly state: Entry['state'] }[] {
    const now = Date.now();
    return [...this.#of(calendarId)]
      .filter(([, it]) => it.expires > now)
      .map(([eventId, { state }]) => ({ eventId, state }));
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://calendar');
    const [, root, calendarId = '', kind, eventId = ''] = url.pathname.split('/').map(decodeURIComponent);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (root === 'failure') {
      const [name = '', only] = body.split(' ');
      if (!failures.includes(name)) return void response.writeHead(400).end(`One of: ${failures.join(', ')}\n`);
      this.fail(name as Failure, only as Operation | undefined);
      return void response.end(`${name}\n`);
    }
    if (root !== 'calendars') return void response.writeHead(404).end();
    const given = body === '' ? undefined : (JSON.parse(body) as Entry);
    const operation = operationOf(request.method, given);
    if (await this.#fails(operation, response)) return;
    let [status, answer]: [number, unknown] = [404, undefined];
    if (kind === 'busy') [status, answer] = [200, { busy: this.#busy(calendarId, url.searchParams.get('day') ?? '') }];
    if (kind === 'events' && given !== undefined) [status, answer] = this.#put(calendarId, eventId, given);
    if (kind === 'events' && request.method === 'DELETE') {
      this.#of(calendarId).delete(eventId);
      this.#gone.add(eventId);
      [status, answer] = [200, {}];
    }
    if (this.#failure.kind === 'lost' && this.#concerns(operation)) return void response.destroy();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
    if (given?.state === 'private') await this.#tell(calendarId, dayOf(given.start));
  }

  /** Whether this request ends here. */
  async #fails(operation: Operation, response: ServerResponse): Promise<boolean> {
    if (!this.#concerns(operation)) return false;
    switch (this.#failure.kind) {
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, 300));
        return false;
      case 'error':
        response.writeHead(500).end();
        return true;
      case 'garbage':
        response.writeHead(200).end('<html>Welcome!</html>');
        return true;
      case 'hang':
        this.#waiting++;
        await this.#mended.promise;
        this.#waiting--;
        return false;
      default:
        return false;
    }
  }

  #concerns(operation: Operation): boolean {
    return this.#failure.only === undefined || this.#failure.only === operation;
  }

  #of(calendarId: string): Map<string, Entry> {
    const found = this.#calendars.get(calendarId) ?? new Map<string, Entry>();
    this.#calendars.set(calendarId, found);
    return found;
  }

  #busy(calendarId: string, day: string): Interval[] {
    const now = Date.now();
    return [...this.#of(calendarId).values()]
      .filter((it) => it.expires > now && dayOf(it.start) === day)
      .map(({ start, end }) => ({ start, end }));
  }

  /** Only private events are in the way, as in most calendars: whoever books has to sort the rest out. */
  #put(calendarId: string, eventId: string, { start, end, state }: Entry): [number, unknown] {
    const calendar = this.#of(calendarId);
    const taken = [...calendar.values()].some((it) => it.state === 'private' && overlaps(it, { start, end }));
    if (taken && state !== 'private') return [409, {}];
    if (this.#gone.has(eventId)) return [410, {}];
    const known = calendar.get(eventId);
    // A hold that comes late does not undo what was confirmed.
    if (known?.state === 'confirmed' && state === 'held') return [200, {}];
    const expires = state === 'held' ? Date.now() + HOLD : Number.POSITIVE_INFINITY;
    calendar.set(eventId, { start, end, state, expires });
    return [200, {}];
  }

  async #tell(calendarId: string, day: string): Promise<void> {
    for (const url of this.#subscribers) {
      const body = JSON.stringify({ calendarId, day });
      // Nobody repeats what is lost: the service's ttl has to bound it.
      await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).catch(() => {});
    }
  }
}

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((fulfil) => (resolve = fulfil));
  return { promise, resolve: () => resolve() };
}

function operationOf(method: string | undefined, given: Entry | undefined): Operation {
  if (method === 'DELETE') return 'release';
  if (given === undefined) return 'busy';
  return given.state === 'held' ? 'hold' : 'confirm';
}
