import { fileURLToPath } from 'node:url';
import type { From } from '../../src/cache/events.ts';
import { ToldProcess } from './told-process.ts';

export type Request =
  /** `slow`: how long its loader takes after it has read, in ms. */
  | {
      readonly type: 'start';
      readonly url: string;
      readonly maxLag: number;
      readonly release: 1 | 2;
      readonly slow: number;
    }
  /** Raises the price by a cent, and invalidates it. */
  | { readonly type: 'raise'; readonly item: string }
  | { readonly type: 'read'; readonly item: string; readonly atLeast?: string }
  | { readonly type: 'loads' }
  | { readonly type: 'stop' };

/** Whatever a reader was given, as it was. */
export interface Given {
  readonly value: unknown;
  readonly from: From;
}

export interface Raised {
  /** The new price, in cents. */
  readonly cents: number;
  readonly status: string;
  readonly token: string;
}

export type Answer = Given | Raised | number | 'ready';

/** A release of the application, in a process of its own. The first keeps prices as `{ cents }`, the second as `{ euros, text }`. */
export class Release {
  readonly #process = new ToldProcess<Request, Answer>(fileURLToPath(new URL('./release-process.ts', import.meta.url)));

  static async start(release: 1 | 2, url: string, maxLag: number, slow = 0): Promise<Release> {
    const made = new Release();
    await made.#process.ask({ type: 'start', url, maxLag, release, slow });
    return made;
  }

  async raise(item: string): Promise<Raised> {
    return (await this.#process.ask({ type: 'raise', item })) as Raised;
  }

  async read(item: string, atLeast?: string): Promise<Given> {
    return (await this.#process.ask({ type: 'read', item, ...(atLeast === undefined ? {} : { atLeast }) })) as Given;
  }

  /** How often it has asked the database. */
  async loads(): Promise<number> {
    return (await this.#process.ask({ type: 'loads' })) as number;
  }

  stop(): Promise<void> {
    return this.#process.end({ type: 'stop' });
  }
}
