import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Assignment, Order, Report } from './message.ts';

const program = fileURLToPath(new URL('./life-process.ts', import.meta.url));

/** A process of the fleet, as the one that started it sees it. */
export class Member {
  readonly assignment: Assignment;
  readonly #child: ChildProcess;
  readonly #heard = new Set<Report['type']>();
  #listeners: (() => void)[] = [];

  constructor(assignment: Assignment, take: (report: Report) => void) {
    this.assignment = assignment;
    this.#child = fork(program, { execArgv: ['--import', 'tsx'] });
    this.#child.on('message', (report: Report) => {
      take(report);
      this.#heard.add(report.type);
      for (const listener of this.#listeners.splice(0)) listener();
    });
    this.#child.once('exit', () => {
      for (const listener of this.#listeners.splice(0)) listener();
    });
    // A message to a process that has just ended: nobody reads it.
    this.#child.on('error', () => {});
    this.send({ type: 'begin', assignment });
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  send(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  /** Resolves when it has reported this, after everything that it reported before. */
  async until(type: Report['type']): Promise<void> {
    while (!this.#heard.has(type)) {
      if (this.ended) throw new Error(`Process ${this.assignment.node} ended before it was ${type}.`);
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  /** `SIGSTOP` makes it hang, `SIGCONT` go on. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it as `SIGKILL` does. */
  async kill(): Promise<void> {
    if (this.ended) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
