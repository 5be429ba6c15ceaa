import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Effort, Question, Row } from './question.ts';

/** The process that measures one row, seen from its parent. */
export class RowProcess {
  readonly row: Row;
  readonly #child: ChildProcess;

  private constructor(row: Row, child: ChildProcess) {
    this.row = row;
    this.#child = child;
  }

  /** Resolves when the row is set up and warmed up. */
  static async start(name: string, row: Row, question: Question, effort: Effort): Promise<RowProcess> {
    const child = fork(fileURLToPath(new URL('worker.ts', import.meta.url)), [name, row.name, JSON.stringify(effort)], {
      execArgv: [...process.execArgv, '--expose-gc', '--max-old-space-size=8192', ...(question.nodeOptions ?? [])],
      // As in service: libraries, ours too, do more in development.
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const started = new RowProcess(row, child);
    await started.#answer();
    return started;
  }

  async sample(): Promise<number> {
    this.#child.send('sample');
    return (await this.#answer()).value;
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve();
      this.#child.once('exit', () => resolve());
      this.#child.disconnect();
    });
  }

  #answer(): Promise<{ value: number }> {
    return new Promise((resolve, reject) => {
      const exited = (code: number | null): void =>
        reject(new Error(`The process of "${this.row.name}" ended with ${code ?? 'a signal'}; its error is above.`));
      this.#child.once('exit', exited);
      this.#child.once('message', (message) => {
        this.#child.off('exit', exited);
        resolve(message as { value: number });
      });
    });
  }
}
