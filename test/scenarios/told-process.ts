import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A process of its own that a test tells what to do: it takes one request at a time. */
export class ToldProcess<Request extends { readonly type: string }, Answer> {
  readonly #child: ChildProcess;

  /** @param program path of its main module */
  constructor(program: string) {
    this.#child = fork(program, { execArgv: ['--import', 'tsx'] });
  }

  /** `SIGSTOP` makes it hang, `SIGCONT` go on. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends what makes it end, and waits for that; of one that has ended, nothing. */
  async end(request: Request): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.send(request);
    await gone;
  }

  async ask(request: Request): Promise<Answer> {
    const ended = new AbortController();
    const { signal } = ended;
    try {
      const lost = once(this.#child, 'exit', { signal }).then(() => {
        throw new Error(`The process ended instead of doing: ${request.type}.`);
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
