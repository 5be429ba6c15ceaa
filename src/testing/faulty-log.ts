import type { Label } from '../coherence/label.ts';
import type { Appended, InvalidationLog, Reading, Snapshot } from '../coherence/log.ts';
import type { Draft } from '../coherence/record.ts';
import type { ServerAnswer, ServerCheck } from '../coherence/server-check.ts';
import { Gate } from './gate.ts';

/** Ways to a log that break one by one: appends; readings and snapshots; the server check. */
export type LogPath = 'append' | 'follow' | 'check';

/**
 * A log behind connections that a test can cut, stall and mend. It never offers `attach`: a node has to follow it as it
 * follows a server, and prove that it is up to date.
 *
 * @example
 * const log = new FaultyLog(memoryLog()(partContext(new FakeClock())));
 * log.cut('follow');
 */
export class FaultyLog implements InvalidationLog, ServerCheck {
  /** Requests of each kind so far, those that failed included. */
  readonly asked: Record<LogPath, number> = { append: 0, follow: 0, check: 0 };
  readonly #log: InvalidationLog & Partial<ServerCheck>;
  /** What a broken way answers: an error, or nothing. */
  readonly #broken = new Map<LogPath, Promise<never>>();
  /** Fails what is under way when a way is cut. */
  readonly #links = new Map<LogPath, Gate<never>>();

  constructor(log: InvalidationLog & Partial<ServerCheck>) {
    this.#log = log;
  }

  /** Requests under way and to come fail, until {@link mend}. Those under way may have reached the log. */
  cut(...paths: LogPath[]): void {
    for (const path of paths) {
      const link = this.#linkOf(path);
      link.fail(new Error(`the connection is cut (${path})`));
      this.#links.delete(path);
      this.#broken.set(path, link.promise);
    }
  }

  /** Requests to come are neither answered nor refused; after {@link mend}, new ones are answered again. */
  stall(...paths: LogPath[]): void {
    for (const path of paths) this.#broken.set(path, new Promise(() => {}));
  }

  mend(...paths: LogPath[]): void {
    for (const path of paths) this.#broken.delete(path);
  }

  append(drafts: readonly Draft[]): Promise<Appended> {
    return this.#over('append', () => this.#log.append(drafts));
  }

  read(
    after: { readonly epoch: string; readonly number: number },
    options: { wait: number; limit: number },
  ): Promise<Reading> {
    return this.#over('follow', () => this.#log.read(after, options));
  }

  snapshot(): Promise<Snapshot> {
    return this.#over('follow', () => this.#log.snapshot());
  }

  check(labels: readonly Label[]): Promise<ServerAnswer> {
    const log = this.#log;
    const work = async (): Promise<ServerAnswer> => {
      if (log.check === undefined) throw new Error('this log has no server check');
      return log.check(labels);
    };
    return this.#over('check', work);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #over<T>(path: LogPath, request: () => Promise<T>): Promise<T> {
    this.asked[path]++;
    return this.#broken.get(path) ?? Promise.race([request(), this.#linkOf(path).promise]);
  }

  #linkOf(path: LogPath): Gate<never> {
    const link = this.#links.get(path) ?? new Gate<never>();
    this.#links.set(path, link);
    return link;
  }
}
