import { ApiError, refusal, unreachable } from './api-error.ts';
import { type StreamEvent, streamEvents } from './stream-event.ts';
import type { Transport } from './transport.ts';

export type Parameters = Readonly<Record<string, string | number | undefined>>;

/** The HTTP API as commands use it; over HTTP or in this process is the same to them. */
export class Api {
  readonly #transport: Transport;
  readonly #timeout: number;

  /** @param timeout for each request, in ms */
  constructor(transport: Transport, timeout: number) {
    this.#transport = transport;
    this.#timeout = timeout;
  }

  /** Whether it reads a fleet's own keys, as no node of it. */
  get fleet(): boolean {
    return this.#transport.fleet;
  }

  get where(): string {
    return this.#transport.where;
  }

  async get<T>(path: string, parameters: Parameters = {}): Promise<T> {
    return (await this.#answer(path, parameters, { method: 'GET' }, 'reader')) as T;
  }

  /** @param role that the route asks for */
  async post<T>(path: string, body: object, role: 'reader' | 'operator'): Promise<T> {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    return (await this.#answer(path, {}, init, role)) as T;
  }

  /** The live stream, until `ended` aborts; no time limit between events. @throws where the stream ends by itself */
  async *stream(path: string, parameters: Parameters, ended: AbortSignal): AsyncGenerator<StreamEvent> {
    const headers = { accept: 'text/event-stream' };
    const response = await this.#fetch(path, parameters, { method: 'GET', headers }, { ended, role: 'reader' });
    if (response.body === null) return;
    try {
      yield* streamEvents(response.body, ended);
    } catch (error) {
      if (!ended.aborted) throw unreachable(error, this.#transport, this.#timeout);
    }
    if (!ended.aborted) throw new Error(`${this.where} has ended the stream. Run the command again to go on.`);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #answer(path: string, parameters: Parameters, init: RequestInit, role: string): Promise<unknown> {
    const ended = AbortSignal.timeout(this.#timeout);
    const response = await this.#fetch(path, parameters, init, { ended, role });
    try {
      return await response.json();
    } catch (error) {
      if (ended.aborted) throw unreachable(ended.reason, this.#transport, this.#timeout);
      throw new Error(`${this.where}${path} answers no JSON. Is it the address of a Tidemark API?`, { cause: error });
    }
  }

  /** @throws what says the cure, where nothing or a refusal came */
  async #fetch(
    path: string,
    parameters: Parameters,
    init: RequestInit,
    { ended, role }: { readonly ended: AbortSignal; readonly role: string },
  ): Promise<Response> {
    // The headers of a stream come at once too.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('too late', 'TimeoutError')), this.#timeout);
    const signal = AbortSignal.any([ended, late.signal]);
    let response: Response;
    try {
      response = await this.#transport.fetch(`${path}${queryOf(parameters)}`, { ...init, signal });
    } catch (error) {
      throw unreachable(signal.aborted ? signal.reason : error, this.#transport, this.#timeout);
    } finally {
      clearTimeout(timer);
    }
    if (!response.ok) throw await refusal(response, this.#transport, path, role);
    return response;
  }
}

function queryOf(parameters: Parameters): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given.toString()}`;
}

/** What an API may not have, such as a part that its cache was made without. @throws what else went wrong */
export async function optional<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.isAbsent) return otherwise;
    throw error;
  }
}
