import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Scheduler } from '../../src/testing/scheduler.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Latency } from './latency.ts';

export type Reply<T> = (error: Error | undefined, answer?: T) => void;

/** A request as the server executes it; it replies once, at once or later. */
export type Request<S, T> = (server: S, session: Session, reply: Reply<T>) => void;

/** Something that can be connected to. */
export interface Endpoint {
  readonly up: boolean;
  /** Connections that end with it. */
  readonly sessions: Set<Session>;
}

/** One connection, as its server knows it. */
export class Session {
  open = true;
  /** What must be confirmed before a WAIT on this connection is: where its own last write ends. */
  written = 0;
  /** Whether it has appended before: only its first append looks at all of the log. */
  appended = false;
  readonly #close: (noticed: boolean) => void;

  constructor(close: (noticed: boolean) => void) {
    this.#close = close;
  }

  /** @param noticed whether the client hears of it, or finds out by its deadline */
  close(noticed: boolean): void {
    if (this.open) this.#close(noticed);
  }
}

export interface ChannelParts<S extends Endpoint> {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly clock: VirtualClock;
  readonly latency: Latency;
  /** Where a new connection leads now; `undefined` where nothing can be reached. */
  readonly route: () => S | undefined;
}

interface Waiting<S> {
  readonly request: Request<S, unknown>;
  readonly settle: Reply<unknown>;
}

/** What is sent later on a connection arrives later, in ms. */
const APART = 0.001;

/** An open connection. */
interface Line<S> {
  readonly server: S;
  readonly session: Session;
  /** Arrival of the last message in each direction: what is sent later arrives later. */
  up: number;
  down: number;
  /** Requests that have arrived while an earlier one was being executed. */
  readonly backlog: Waiting<S>[];
  busy: boolean;
  readonly pending: Set<Reply<unknown>>;
}

/**
 * One connection of one process at a time, opened on demand: requests and replies keep their order, each message takes
 * its own time. A connection stays with its server whatever becomes of that, until one of them closes it. A request that
 * is not answered by its deadline closes it, as drivers do that want to live.
 */
export class Channel<S extends Endpoint> {
  readonly #parts: ChannelParts<S>;
  #line: Line<S> | undefined;
  #opening: Promise<Line<S>> | undefined;
  /** Until then nothing gets through, in the one direction or the other. */
  #stalled = { up: 0, down: 0 };

  constructor(parts: ChannelParts<S>) {
    this.#parts = parts;
  }

  /** The session now open. */
  get session(): Session | undefined {
    return this.#line?.session;
  }

  get server(): S | undefined {
    return this.#line?.server;
  }

  /** Whether a request is under way. */
  get busy(): boolean {
    return (this.#line?.pending.size ?? 0) > 0;
  }

  /** Rejects when the connection ends, or is not to be had, before the answer; and at the deadline. */
  async request<T>(request: Request<S, T>, deadline: number): Promise<T> {
    const line = this.#line ?? (await this.#open(deadline));
    return this.#send(line, request, deadline);
  }

  /** Holds back messages for a while, unnoticed. */
  stall(ms: number, directions: 'up' | 'down' | 'both'): void {
    const until = this.#parts.scheduler.now + ms;
    if (directions !== 'down') this.#stalled.up = until;
    if (directions !== 'up') this.#stalled.down = until;
  }

  /** Ends the connection, if there is one. */
  cut(noticed: boolean): void {
    this.#line?.session.close(noticed);
  }

  #open(deadline: number): Promise<Line<S>> {
    this.#opening ??= this.#connect(deadline).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  #connect(deadline: number): Promise<Line<S>> {
    const { scheduler, latency, clock, route } = this.#parts;
    return new Promise((resolve, reject) => {
      let waiting = true;
      const late = clock.schedule(deadline, () => {
        waiting = false;
        reject(new Error('not connected in time'));
      });
      const there = Math.max(scheduler.now + latency.draw(), this.#stalled.up);
      scheduler.at(there, () => {
        const server = route();
        const back = Math.max(scheduler.now + latency.draw(), this.#stalled.down);
        scheduler.at(back, () =>
          clock.deliver(() => {
            late();
            if (!waiting) return;
            if (server === undefined || !server.up) return reject(new Error('connection refused'));
            resolve(this.#opened(server));
          }),
        );
      });
    });
  }

  #opened(server: S): Line<S> {
    const line: Line<S> = {
      server,
      session: new Session((noticed) => this.#closed(line, noticed)),
      up: 0,
      down: 0,
      backlog: [],
      busy: false,
      pending: new Set(),
    };
    server.sessions.add(line.session);
    this.#line = line;
    return line;
  }

  #closed(line: Line<S>, noticed: boolean): void {
    const { scheduler, latency, clock } = this.#parts;
    line.session.open = false;
    line.server.sessions.delete(line.session);
    if (!noticed) return;
    scheduler.after(latency.draw(), () => clock.deliver(() => this.#end(line, new Error('connection closed'))));
  }

  /** The client gives the connection up. */
  #end(line: Line<S>, error: Error): void {
    line.session.open = false;
    line.server.sessions.delete(line.session);
    if (this.#line === line) this.#line = undefined;
    for (const settle of [...line.pending]) settle(error);
  }

  #send<T>(line: Line<S>, request: Request<S, T>, deadline: number): Promise<T> {
    const { scheduler, clock, latency } = this.#parts;
    return new Promise((resolve, reject) => {
      const late = clock.schedule(deadline, () => this.#end(line, new Error('not answered in time')));
      const settle: Reply<unknown> = (error, answer) => {
        if (!line.pending.delete(settle)) return;
        late();
        if (error === undefined) resolve(answer as T);
        else reject(error);
      };
      line.pending.add(settle);
      line.up = Math.max(scheduler.now + latency.draw(), line.up + APART, this.#stalled.up);
      const waiting: Waiting<S> = { request, settle };
      scheduler.at(line.up, () => this.#arrive(line, waiting));
    });
  }

  #arrive(line: Line<S>, waiting: Waiting<S>): void {
    if (!line.session.open || !line.server.up) return;
    line.backlog.push(waiting);
    this.#execute(line);
  }

  #execute(line: Line<S>): void {
    if (line.busy) return;
    const next = line.backlog.shift();
    if (next === undefined || !line.session.open || !line.server.up) return;
    line.busy = true;
    next.request(line.server, line.session, (error, answer) => {
      line.busy = false;
      this.#reply(line, next.settle, error, answer);
      this.#execute(line);
    });
  }

  #reply(line: Line<S>, settle: Reply<unknown>, error: Error | undefined, answer: unknown): void {
    const { scheduler, clock, latency } = this.#parts;
    if (!line.session.open) return;
    line.down = Math.max(scheduler.now + latency.draw(), line.down + APART, this.#stalled.down);
    scheduler.at(line.down, () => {
      if (line.session.open) clock.deliver(() => settle(error, answer));
    });
  }
}
