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

/** One organisation's client, for tests. */
export class Client {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  /** @param url of the service */
  constructor(url: string, token?: string) {
    this.#url = `${url}/franchise`;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** @param path below `/franchise` */
  get<T = unknown>(path: string): Promise<Answer<T>> {
    return this.#send('GET', path);
  }

  /**
   * @param body sent as JSON, or as it is when it is a string
   * @param type what is said of it
   */
  post<T = unknown>(path: string, body?: object | string, type = 'application/json'): Promise<Answer<T>> {
    if (body === undefined) return this.#send('POST', path);
    return this.#send('POST', path, typeof body === 'string' ? body : JSON.stringify(body), { 'content-type': type });
  }

  async #send<T>(method: string, path: string, body?: string, headers: object = {}): Promise<Answer<T>> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { ...this.#headers, ...headers },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, ...((await response.json()) as Omit<Answer<T>, 'status'>) };
  }
}
