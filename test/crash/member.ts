import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What can be waited for: messages that are told apart by their type. */
interface Typed {
  readonly type: string;
}

/** A process of a run, as the one that started it sees it. It takes orders of one type, and reports in another. */
export class Member<Order extends Typed, Report extends Typed> {
  readonly child: ChildProcess;
  readonly #listeners = new Set<(report: Report | undefined) => void>();

  /** @param program a module; what it gets first is `order` */
  constructor(program: URL, order: Order) {
    this.child = fork(fileURLToPath(program), { execArgv: ['--import', 'tsx'] });
    const tell = (report: Report | undefined): void => {
      for (const listener of [...this.#listeners]) listener(report);
    };
    this.child.on('message', tell);
    this.child.once('exit', () => tell(undefined));
    // A message to a process that has just ended: nobody reads it.
    this.child.on('error', () => {});
    this.send(order);
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  send(order: Order): void {
    if (this.child.connected) this.child.send(order, () => {});
  }

  /** Calls `listener` with each report. */
  listen(listener: (report: Report) => void): void {
    this.#listeners.add((report) => {
      if (report !== undefined) listener(report);
    });
  }

  /**
   * The next report that is meant.
   *
   * @throws Error when the process ends before
   */
  hears<T extends Report['type']>(
    type: T,
    meant: (report: Extract<Report, { readonly type: T }>) => boolean = () => true,
  ): Promise<Extract<Report, { readonly type: T }>> {
    return new Promise((resolve, reject) => {
      const listener = (report: Report | undefined): void => {
        if (report !== undefined && (report.type !== type || !meant(report as never))) return;
        this.#listeners.delete(listener);
        if (report === undefined) reject(new Error(`A process has ended that was waited for: ${type}.`));
        else resolve(report as never);
      };
      if (this.ended) listener(undefined);
      else this.#listeners.add(listener);
    });
  }

  /** Sends an order and waits for the report that answers it. */
  ask<T extends Report['type']>(order: Order, type: T): Promise<Extract<Report, { readonly type: T }>> {
    const answer = this.hears(type);
    this.send(order);
    return answer;
  }

  /** Ends it as `SIGKILL` does. */
  async end(): Promise<void> {
    if (this.ended) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
