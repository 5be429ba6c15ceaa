import type { Cancel } from '../coherence/clock.ts';
import { CaptureAcknowledgement } from './capture-acknowledgement.ts';
import type { CaptureSettings } from './capture-options.ts';
import { type CaptureBatch, CaptureQueue } from './capture-queue.ts';
import { type CaptureCounts, LagMeter } from './capture-progress.ts';
import { type CaptureFault, TransactionReader } from './capture-transaction.ts';
import type { Session } from './driver.ts';
import { parseLsn } from './lsn.ts';
import type { Sender, SourceParts } from './source.ts';
import { parseSnapshot, type SnapshotView } from './visibility.ts';
import type { WalMessage } from './wal-message.ts';
import type { OpenWalStream, WalStream } from './wal-stream.ts';

export interface CaptureStreamParts {
  readonly source: SourceParts;
  readonly settings: CaptureSettings;
  readonly sender: Sender;
  readonly open: OpenWalStream;
  /** For questions; belongs to whoever made the stream. */
  readonly session: Session;
  /** What the slot has acknowledged so far. */
  readonly acknowledged: bigint;
  /** Called when the slot is being read, before anything is given up. What it throws ends the start. */
  readonly opened: () => Promise<void>;
  readonly counts: CaptureCounts;
  readonly fault: (fault: CaptureFault) => void;
  /** Called with each snapshot. */
  readonly looked: (snapshot: SnapshotView) => void;
  /** Called once, when it cannot go on. */
  readonly failed: (cause: unknown) => void;
}

/** Between two questions for who is visible, in ms: what commits meanwhile is in one record. */
const PACE = 5;
/** The longest pause between two questions for a transaction that is not visible, in ms. */
const LONGEST_PACE = 50;
/** The longest time without a look at who is visible, in ms: that the caches are up to date is news as well. */
const LONGEST_SILENCE = 1_000;
/** Targets that wait for the log. */
const MOST_TARGETS = 100_000;

/** Reads a slot for as long as its connections last, and takes what it reads to the log. */
export class CaptureStream {
  readonly #parts: CaptureStreamParts;
  readonly #reader: TransactionReader;
  readonly #queue: CaptureQueue;
  readonly #acknowledgement: CaptureAcknowledgement;
  readonly lag: LagMeter = new LagMeter();
  #stream: WalStream | undefined;
  #over = false;
  /** Everything before was sent to us. */
  #received = 0n;
  #sending = false;
  #stepping = false;
  #again = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #pace = PACE;
  #step: { readonly due: number; readonly cancel: Cancel } | undefined;

  constructor(parts: CaptureStreamParts) {
    this.#parts = parts;
    const { settings, sender, counts, fault } = parts;
    this.#reader = new TransactionReader({
      ...settings,
      fault,
      mostTargets: settings.maxTargets,
      coverAll: () => sender.draft({ kind: 'everything', labels: [], patterns: [] }, { targets: ['everything'] }),
    });
    this.#queue = new CaptureQueue({
      grace: settings.grace,
      most: MOST_TARGETS,
      seen: (id) => sender.seen(id),
      draft: (coverage, about) => sender.draft(coverage, about),
      direct: (messages) => {
        counts.direct += messages;
        this.#acknowledgement.note();
      },
    });
    this.#acknowledgement = new CaptureAcknowledgement({
      ...{ source: parts.source, settings, session: parts.session, sender, queue: this.#queue },
      kept: parts.acknowledged,
      refresh: () => this.#refresh(),
      reached: () => this.#reachedBy(this.#queue.outstanding),
      done: () => this.kick(),
      acknowledge: (lsn) => {
        if (!this.#over) this.#stream?.acknowledge(lsn);
      },
      failed: (cause) => this.#fail(cause),
    });
  }

  /** Transactions that are not known to be visible. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** @throws what the server answers */
  async start(): Promise<void> {
    const { settings, open, acknowledged } = this.#parts;
    const stream = await open(settings, acknowledged, {
      message: (message) => this.#take(message),
      reached: (lsn) => this.#reach(lsn),
      ended: (cause) => this.#fail(cause ?? new Error('Postgres has ended the stream.')),
    });
    if (this.#over) {
      await stream.stop();
      return;
    }
    this.#stream = stream;
    await this.#parts.opened();
    this.#acknowledgement.start();
    this.kick();
  }

  async stop(): Promise<void> {
    this.#over = true;
    this.#step?.cancel();
    this.#acknowledgement.stop();
    await this.#stream?.stop();
  }

  /** There may be something to do. */
  kick(): void {
    this.#again = true;
    if (!this.#stepping) void this.#steps();
  }

  #fail(cause: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.failed(cause);
  }

  #take(message: WalMessage): void {
    const transaction = this.#reader.take(message);
    if (transaction !== undefined) {
      this.#parts.counts.transactions++;
      this.#queue.add(transaction);
      this.#pace = PACE;
    }
    // Only now: between its end and the queue it would count as done.
    if (message.tag === 'commit') this.#reach(message.endLsn);
    if (transaction !== undefined) this.kick();
  }

  #reach(lsn: bigint): void {
    if (lsn > this.#received) this.#received = lsn;
    this.lag.reached(this.#reachedBy(this.#queue.unappended));
  }

  /** Everything that was committed before is done, if what is queued from `queued` on is not. */
  #reachedBy(queued: bigint | undefined): bigint {
    const open = this.#reader.openAt;
    const first = queued ?? this.#received;
    return open !== undefined && open < first ? open : first;
  }

  async #steps(): Promise<void> {
    this.#stepping = true;
    try {
      while (this.#again && !this.#over) {
        this.#again = false;
        await this.#do();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#stepping = false;
    }
  }

  /** One look at who is visible, if anybody waits, and one batch, if none is on its way. */
  async #do(): Promise<void> {
    const { context } = this.#parts.source;
    if (this.#queue.isWaiting) {
      const early = this.#lookedAt + this.#pace - context.clock.monotonic();
      if (early > 0) this.#stepIn(early);
      else await this.#look();
    }
    const { held } = this.#queue;
    if (held.length > 0) await this.#parts.sender.prove(held);
    const now = context.clock.monotonic();
    if (!this.#sending && !this.#acknowledgement.isFull) {
      const batch = this.#queue.take(now);
      if (batch !== undefined) void this.#send(batch);
    }
    const due = this.#queue.dueIn(now);
    if (due !== undefined) this.#stepIn(Math.min(due, PACE));
  }

  async #look(): Promise<void> {
    const { source, session, looked } = this.#parts;
    const at = source.context.clock.monotonic();
    const before = this.#queue.waiting;
    const [row] = await session.query(
      'SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_flush_lsn()::text AS lsn',
    );
    const snapshot = parseSnapshot(row?.['snapshot']);
    const now = source.context.clock.monotonic();
    this.#lookedAt = now;
    this.lag.note(at, parseLsn(row?.['lsn']));
    this.#queue.look(snapshot, now);
    looked(snapshot);
    if (!this.#queue.isWaiting) return;
    // Who waits for a synchronous replica may wait for long.
    this.#pace = this.#queue.waiting < before ? PACE : Math.min(LONGEST_PACE, this.#pace * 2);
    this.#stepIn(this.#pace);
  }

  async #refresh(): Promise<void> {
    if (this.#parts.source.context.clock.monotonic() - this.#lookedAt >= LONGEST_SILENCE) await this.#look();
  }

  async #send(batch: CaptureBatch): Promise<void> {
    this.#sending = true;
    try {
      await this.#parts.sender.send(batch.drafts);
      this.#parts.counts.records += batch.drafts.length;
      this.#queue.appended(batch);
      this.#acknowledgement.sent(batch);
      this.lag.reached(this.#reachedBy(this.#queue.unappended));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#sending = false;
    }
    this.kick();
  }

  #stepIn(ms: number): void {
    const { clock } = this.#parts.source.context;
    const due = clock.monotonic() + ms;
    if (this.#over || (this.#step !== undefined && this.#step.due <= due)) return;
    this.#step?.cancel();
    const cancel = clock.schedule(ms, () => {
      this.#step = undefined;
      this.kick();
    });
    this.#step = { due, cancel };
  }
}
