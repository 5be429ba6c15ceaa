import { POSITION } from './position.ts';

/** How services answer a read. */
export interface Answer<T> {
  readonly data: T;
  /** The tier of the answering service that the value came from. */
  readonly from: string;
}

/** Another service, over HTTP. */
export class Remote {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * What the other service has there; `null` if nothing.
   *
   * @param options `position`: nothing older than this is accepted
   */
  async get<T>(path: readonly string[], options: { position: string; signal: AbortSignal }): Promise<T | null> {
    const { position, signal } = options;
    const response = await fetch(this.at(path), { headers: { [POSITION]: position }, signal });
    if (response.status === 404) {
      await response.body?.cancel();
      return null;
    }
    if (!response.ok) throw new Error(`GET ${this.at(path)} answered ${response.status}: ${await response.text()}`);
    return ((await response.json()) as Answer<T>).data;
  }

  at(path: readonly string[]): string {
    return `${this.#url}/${path.map(encodeURIComponent).join('/')}`;
  }
}
