import type { Cache } from '../cache/cache.ts';
import type { Logger } from '../coherence/logger.ts';
import { everything, type Target, targetList } from '../coherence/target.ts';
import type { Targets } from '../events/index.ts';

/** What a decorated method has changed: nothing that follows may fail its caller. */
export class Change {
  readonly #cache: Cache;
  readonly #event: string;
  readonly #logger: Logger | undefined;

  /** @param event names the method, for the record and the log */
  constructor(cache: Cache, event: string, logger: Logger | undefined) {
    this.#cache = cache;
    this.#event = event;
    this.#logger = logger;
  }

  /** Never rejects. */
  async invalidate(targets: () => Targets): Promise<void> {
    try {
      const list = this.#listOf(targets);
      if (list.length > 0) await this.#cache.invalidate(list, { cause: { event: this.#event } });
    } catch (error) {
      this.#report('what it changed may be served in its old form until it expires', error);
    }
  }

  #listOf(targets: () => Targets): readonly Target[] {
    try {
      const given = targets();
      return given === undefined ? [] : targetList(given, (shown) => `@Invalidates returned ${shown}, no target`);
    } catch (error) {
      this.#report('its targets could not be worked out, so everything is invalidated', error);
      return [everything()];
    }
  }

  #report(what: string, err: unknown): void {
    this.#logger?.error({ err }, `@Invalidates of ${this.#event}: ${what}`);
  }
}
