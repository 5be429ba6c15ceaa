import { TidemarkError } from './errors.ts';
import { newEpoch } from './position.ts';
import type { Label } from './label.ts';
import type { Appended, InvalidationLog, LogOptions, Reading, Snapshot, Unsubscribe } from './log.ts';
import { type LogSettings, logOptions } from './log-options.ts';
import type { PartContext } from './part.ts';
import type { Draft, LogRecord } from './record.ts';
import type { ServerAnswer, ServerCheck } from './server-check.ts';
import { View } from './view.ts';

/** Records that can still be read; who is further behind copies the table. */
const KEPT = 10_000;

/** Bans before the oldest are retired by raising the floor to them: each costs every entry a test. */
const MAX_BANS = 1_000;

/**
 * A log in this process. It is the reference for every other log: what it does, they do.
 *
 * Several caches of one process may share one: make it once, and hand it to each.
 */
export function memoryLog(settings: LogSettings = {}): (context: PartContext) => InvalidationLog {
  const options = logOptions(settings);
  let shared: MemoryLog | undefined;
  return (context) => {
    shared ??= new MemoryLog(options, context);
    return shared;
  };
}

export class MemoryLog implements InvalidationLog, ServerCheck {
  readonly options: LogOptions;
  readonly #context: Pick<PartContext, 'stopwatch' | 'clock' | 'random'>;
  #state: View;
  #records: LogRecord[] = [];
  readonly #followers = new Set<(record: LogRecord) => void>();
  readonly #waiting = new Set<() => void>();

  constructor(options: LogOptions, context: Pick<PartContext, 'stopwatch' | 'clock' | 'random'>) {
    this.options = options;
    this.#context = context;
    this.#state = this.#newState(false);
  }

  append(drafts: readonly Draft[]): Promise<Appended> {
    this.#retireBans();
    const numbers = drafts.map((draft) => this.#append(draft));
    this.#wake();
    return Promise.resolve({ epoch: this.#state.epoch, numbers });
  }

  async read(
    after: { readonly epoch: string; readonly number: number },
    options: { wait: number; limit: number },
  ): Promise<Reading> {
    if (after.epoch === this.#state.epoch && after.number > this.#state.applied) this.beginEpoch();
    if (options.wait > 0 && after.epoch === this.#state.epoch && after.number === this.#state.applied)
      await this.#more(options.wait);
    const same = after.epoch === this.#state.epoch;
    return {
      epoch: this.#state.epoch,
      head: this.#state.applied,
      records: same ? this.#after(after.number, options.limit) : [],
      provenAt: this.#context.stopwatch.now(),
    };
  }

  snapshot(): Promise<Snapshot> {
    return Promise.resolve(this.#state.snapshot(this.options, this.#context.stopwatch.now()));
  }

  check(labels: readonly Label[]): Promise<ServerAnswer> {
    const state = this.#state;
    return Promise.resolve({
      epoch: state.epoch,
      head: state.applied,
      floor: state.floor,
      newest: labels.map((label) => state.newest(label)),
      bans: [...state.bans.list()],
      announcements: state.announcements.list(),
      provenAt: this.#context.stopwatch.now(),
    });
  }

  attach(onRecord: (record: LogRecord) => void): { readonly snapshot: Snapshot; readonly detach: Unsubscribe } {
    this.#followers.add(onRecord);
    return {
      snapshot: this.#state.snapshot(this.options, this.#context.stopwatch.now()),
      detach: () => this.#followers.delete(onRecord),
    };
  }

  /** A log in memory outlives the caches that share it; there is nothing to end but the reads that wait. */
  close(): Promise<void> {
    this.#wake();
    return Promise.resolve();
  }

  /** Forgets everything and begins a new epoch: what any log does that may have lost something. */
  beginEpoch(): void {
    if (this.#followers.size > 0) {
      throw new TidemarkError('INVALID_OPTION', 'A log that is followed in its own process cannot lose anything.');
    }
    this.#state = this.#newState(true);
    this.#records = [];
    this.#wake();
  }

  /** Forgets records up to a number, as a stream trimmed by length does. */
  trim(number: number): void {
    this.#records = this.#records.filter((record) => record.number > number);
  }

  #newState(lost: boolean): View {
    const state = new View(this.options);
    state.begin(newEpoch(this.#context.random), lost);
    return state;
  }

  #append(draft: Draft): number {
    const prev = this.#state.applied;
    const record: LogRecord = { ...draft, time: this.#context.clock.wall(), number: prev + 1, prev };
    this.#state.apply(record);
    this.#records.push(record);
    if (this.#records.length > KEPT * 2) this.#records = this.#records.slice(-KEPT);
    for (const follow of this.#followers) follow(record);
    return record.number;
  }

  #retireBans(): void {
    const { bans } = this.#state;
    const now = this.#context.clock.wall();
    const surplus = bans.size - MAX_BANS;
    const expired = bans.list().findLast((ban, i) => ban.time < now - this.options.maxLife || i < surplus);
    if (expired === undefined) return;
    this.#append({
      kind: 'floor',
      id: '0'.repeat(32),
      origin: 'log',
      labels: [],
      patterns: [],
      floor: expired.number,
      time: now,
    });
  }

  #after(number: number, limit: number): LogRecord[] {
    const from = this.#records.findIndex((record) => record.number > number);
    return from === -1 ? [] : this.#records.slice(from, from + limit);
  }

  #more(wait: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#context.clock.schedule(wait, done);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
