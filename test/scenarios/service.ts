import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Receipt } from '../../src/index.ts';

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
  readonly #child: ChildProcess = fork(program, { execArgv: ['--import', 'tsx'] });

  /** @param maxLag in ms */
  async start(url: string, maxLag: number): Promise<void> {
    await this.#ask({ type: 'start', url, maxLag });
  }

  /** Invalidates a row; the receipt's token as a header of a response would carry it. */
  async write(row: string): Promise<Extract<Answer, { readonly type: 'written' }>> {
    return (await this.#ask({ type: 'write', row })) as Extract<Answer, { readonly type: 'written' }>;
  }

  async read(row: string, version: number): Promise<number> {
    const answer = await this.#ask({ type: 'read', row, version });
    return (answer as Extract<Answer, { readonly type: 'read' }>).value;
  }

  /** `SIGSTOP` makes it hang, `SIGCONT` go on. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.send({ type: 'stop' } satisfies Request);
    await gone;
  }

  async #ask(request: Request): Promise<Answer> {
    const ended = new AbortController();
    const { signal } = ended;
    try {
      const lost = once(this.#child, 'exit', { signal }).then(() => {
        throw new Error(`The service ended instead of doing: ${request.type}.`);
      });
      lost.catch(() => {});
      const answered = once(this.#child, 'message', { signal });
      this.#child.send(request);
      const [answer] = (await Promise.race([answered, lost])) as [Answer];
      return answer;
    } finally {
      ended.abort();
    }
  }
}
