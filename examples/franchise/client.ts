import type { FastifyInstance } from 'fastify';

/** What the service answered. `data` is the report or the changed row; the other fields are there when they apply. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly cached?: boolean;
  readonly data: T;
  readonly error?: string;
  readonly message?: string;
  readonly field?: string;
  readonly cure?: string;
}

/** One organisation's client, for tests: it speaks to the service without a socket between. */
export class Client {
  readonly #app: FastifyInstance;
  readonly #headers: Record<string, string>;

  constructor(app: FastifyInstance, token?: string) {
    this.#app = app;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** @param path below `/franchise` */
  get<T = unknown>(path: string): Promise<Answer<T>> {
    return this.#send('GET', path);
  }

  /** @param body sent as JSON, or as it is when it is a string */
  post<T = unknown>(path: string, body?: object | string): Promise<Answer<T>> {
    return this.#send('POST', path, body);
  }

  async #send<T>(method: 'GET' | 'POST', path: string, body?: object | string): Promise<Answer<T>> {
    const headers = { ...this.#headers, ...(body !== undefined && { 'content-type': 'application/json' }) };
    const payload = body === undefined ? {} : { payload: body };
    const response = await this.#app.inject({ method, url: `/franchise${path}`, headers, ...payload });
    return { status: response.statusCode, ...response.json<Omit<Answer<T>, 'status'>>() };
  }
}
