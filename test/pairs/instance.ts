import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What an instance is told when it starts: its Redis, and how much later than it could it hears of records, in ms. */
export interface Assignment {
  readonly url: string;
  readonly late: number;
}

const program = fileURLToPath(new URL('./instance-process.ts', import.meta.url));

/** One process of the service. */
export class Instance {
  readonly #child: ChildProcess = fork(program, { execArgv: ['--import', 'tsx'] });

  /** @returns its port */
  async start(assignment: Assignment): Promise<number> {
    this.#child.send(assignment);
    const [port] = (await Promise.race([once(this.#child, 'message'), this.#ended()])) as [number];
    return port;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.send('close', () => {});
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await ended;
    clearTimeout(timer);
  }

  async #ended(): Promise<never> {
    const [code] = (await once(this.#child, 'exit')) as [number | null];
    throw new Error(`an instance has ended with code ${code}`);
  }
}
