import { fileURLToPath } from 'node:url';
import type { Receipt } from '../../src/index.ts';
import { ToldProcess } from './told-process.ts';

export type Request =
  | { readonly type: 'start'; readonly url: string; readonly maxLag: number }
  | { readonly type: 'write'; readonly row: string }
  /** `version` is what its loader finds. */
  | { readonly type: 'read'; readonly row: string; readonly version: number }
  | { readonly type: 'stop' };

export type Answer =
  | { readonly type: 'ready' }
  | { readonly type: 'read'; readonly value: number }
  | { readonly type: 'written'; readonly status: Receipt['status']; readonly token: string };

const program = fileURLToPath(new URL('./service-process.ts', import.meta.url));

/** A service in a process of its own: it takes one request at a time. */
export class Service {
  readonly #process = new ToldProcess<Request, Answer>(program);

  /** @param maxLag in ms */
  async start(url: string, maxLag: number): Promise<void> {
    await this.#process.ask({ type: 'start', url, maxLag });
  }

  /** Invalidates a row; the receipt's token as a header of a response would carry it. */
  async write(row: string): Promise<Extract<Answer, { readonly type: 'written' }>> {
    return (await this.#process.ask({ type: 'write', row })) as Extract<Answer, { readonly type: 'written' }>;
  }

  async read(row: string, version: number): Promise<number> {
    const answer = await this.#process.ask({ type: 'read', row, version });
    return (answer as Extract<Answer, { readonly type: 'read' }>).value;
  }

  /** `SIGSTOP` makes it hang, `SIGCONT` go on. */
  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  stop(): Promise<void> {
    return this.#process.end({ type: 'stop' });
  }
}
