import type { Cache, ServerReport } from '../index.ts';

/** Asks the server of a cache about itself, at most once in so many ms, however often it is wanted. */
export class ServerWatch {
  readonly #cache: Cache;
  readonly #every: number;
  #asked: { readonly at: number; readonly answer: Promise<ServerReport | undefined> } | undefined;

  constructor(cache: Cache, every: number) {
    this.#cache = cache;
    this.#every = every;
  }

  /** `undefined` where there is no server to ask, or it does not answer. */
  report(): Promise<ServerReport | undefined> {
    const { context, diagnostics } = this.#cache.parts;
    if (diagnostics === undefined) return Promise.resolve(undefined);
    const now = context.clock.monotonic();
    if (this.#asked === undefined || now - this.#asked.at >= this.#every)
      this.#asked = { at: now, answer: diagnostics.server().catch(() => undefined) };
    return this.#asked.answer;
  }
}
