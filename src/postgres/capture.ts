import { TidemarkError } from '../coherence/errors.ts';
import { Pause } from '../coherence/pause.ts';
import { checkMappings, checkServer } from './capture-check.ts';
import { captureError } from './capture-error.ts';
import { CaptureGap } from './capture-gap.ts';
import { type CaptureOptions, type CaptureSettings, captureSettings } from './capture-options.ts';
import type { CaptureCounts, CaptureStatus } from './capture-progress.ts';
import { CaptureStream } from './capture-stream.ts';
import type { CaptureFault } from './capture-transaction.ts';
import type { Session } from './driver.ts';
import { ReportLimit } from './report-limit.ts';
import { judgeSlot, type SlotFacts, slotFacts } from './slot.ts';
import { endReader, makeSlot } from './slot-keeping.ts';
import { SlotWatch } from './slot-watch.ts';
import type { Sender, Source, SourceMaker, SourceParts } from './source.ts';
import type { OpenWalStream } from './wal-stream.ts';

/** A source of changes: {@link capture}. */
export interface CaptureMaker extends SourceMaker {
  /** As they were given: `tidemark postgres setup` needs them as well. */
  readonly options: CaptureOptions;
}

/**
 * Captures what changes in the database from its own log, whoever writes: a source for `createRelay({ capture })`. Run
 * `tidemark postgres setup` first.
 *
 * @throws TidemarkError `INVALID_OPTION` when the relay is made; what is wrong with the database is told by the relay, with the
 * cure, and tried again all the while
 * @example
 * createRelay({ name: 'shop', ...redis({ url }), database, capture: capture({ tables }) });
 */
export function capture(options: CaptureOptions = {}): CaptureMaker {
  const make: SourceMaker = (parts) => new Capture(parts, captureSettings(options, parts.context.name, parts.schema));
  return Object.assign(make, { options });
}

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 10_000;

class Capture implements Source {
  readonly #parts: SourceParts;
  readonly #open: OpenWalStream;
  readonly #settings: CaptureSettings;
  readonly #pause: Pause;
  readonly #counts: CaptureCounts = { transactions: 0, records: 0, direct: 0, unknowable: 0 };
  readonly #reports: ReportLimit;
  readonly #gap: CaptureGap;
  #running: Promise<void> | undefined;
  /** Ends what is connected. */
  #end: ((cause: unknown) => void) | undefined;
  #stopped = true;
  #state: CaptureStatus['state'] = 'stopped';
  #problem: string | undefined;
  #stream: CaptureStream | undefined;
  #facts: SlotFacts | undefined;

  constructor(parts: SourceParts, settings: CaptureSettings) {
    const { replicate } = parts.database;
    if (replicate === undefined)
      throw new TidemarkError(
        'INVALID_OPTION',
        'capture: an embedded database cannot replicate. Use the outbox: leave out `capture`.',
      );
    this.#parts = parts;
    this.#open = replicate;
    this.#settings = settings;
    this.#pause = new Pause(parts.context.clock);
    this.#reports = new ReportLimit(parts.context.clock);
    this.#gap = new CaptureGap(parts, settings);
  }

  start(sender: Sender): Promise<void> {
    this.#stopped = false;
    this.#state = 'waiting';
    this.#running = this.#run(sender);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#end?.(undefined);
    this.#pause.end();
    await this.#running;
    this.#state = 'stopped';
  }

  status(): CaptureStatus {
    const { slot } = this.#facts ?? {};
    return {
      state: this.#state,
      slot: this.#settings.slot,
      problem: this.#problem,
      gap: this.#gap.open,
      lagBytes: slot?.lag,
      retainedBytes: slot?.retained,
      // What a gap may hide is not certain.
      lagMs: this.#gap.open === undefined ? this.#stream?.lag.lag(this.#parts.context.clock.monotonic()) : undefined,
      invisible: this.#stream?.waiting ?? 0,
      ...this.#counts,
    };
  }

  async #run(sender: Sender): Promise<void> {
    for (let failures = 0; !this.#isStopped(); failures++) {
      try {
        await this.#connect(sender, () => {
          failures = 0;
        });
      } catch (error) {
        if (!this.#isStopped()) this.#report(captureError(error, this.#settings.slot));
      }
      if (this.#isStopped()) return;
      const { random } = this.#parts.context;
      const ms = this.#state === 'gap' ? 1_000 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures, 10));
      await this.#pause.pass(ms * (0.5 + random() / 2));
    }
  }

  // Asked after an await, where the compiler would otherwise still believe what was checked before it.
  #isStopped(): boolean {
    return this.#stopped;
  }

  /** From a connection to its end. Resolves where there is no slot to be read, or the capture is stopped. */
  async #connect(sender: Sender, streaming: () => void): Promise<void> {
    const session = await this.#parts.database.session();
    const ended = new Promise<unknown>((resolve) => {
      this.#end = resolve;
      session.onEnded((cause) => resolve(cause ?? new Error('The connection to Postgres has ended.')));
    });
    if (this.#isStopped()) this.#end?.(undefined);
    try {
      const stream = await this.#prepare(sender, session);
      if (stream === undefined) return;
      this.#stream = stream;
      try {
        if (this.#isStopped()) return;
        await stream.start();
        streaming();
        this.#state = 'streaming';
        this.#problem = undefined;
        this.#reports.clear();
        this.#parts.emit({ type: 'slot-streaming', slot: this.#settings.slot });
        const watching = this.#watch(session, stream, ended);
        const cause = await ended;
        await watching;
        if (cause instanceof Error) throw cause;
      } finally {
        await stream.stop();
      }
    } finally {
      if (this.#state === 'streaming') this.#state = 'waiting';
      this.#stream = undefined;
      session.end();
    }
  }

  /** Checks everything, in an order in which nothing is skipped: what was missed is invalidated before anything is refused. */
  async #prepare(sender: Sender, session: Session): Promise<CaptureStream | undefined> {
    const { settings, parts } = { settings: this.#settings, parts: this.#parts };
    await checkServer(session, settings.schema);
    // Neither waits for replicas, nor is it lost in a crash.
    await session.query("SET synchronous_commit = 'local'");
    await endReader(session, settings);
    let facts = await this.#judge(session, sender);
    if (isGone(facts)) {
      this.#state = 'gap';
      const again = facts.state === undefined || facts.state.acknowledged === 0n ? '' : ' --recreate';
      this.#problem = `Nothing is captured: ${this.#gap.open ?? ''}. Run "tidemark postgres setup${again}".`;
      if (!settings.recreate) return undefined;
      await makeSlot(session, settings.schema, settings.slot);
      facts = await this.#judge(session, sender);
      // Somebody has taken it away again: what they make in its place is to be judged first.
      if (isGone(facts)) return undefined;
    }
    await checkMappings(session, settings.publication, settings.mappings);
    return new CaptureStream({
      source: parts,
      settings,
      sender,
      open: this.#open,
      session,
      acknowledged: facts.slot?.acknowledged ?? 0n,
      opened: () => this.#checkUnmoved(session, facts),
      counts: this.#counts,
      fault: (fault) => this.#noteFault(fault),
      looked: (snapshot) => this.#gap.looked(snapshot, session, sender, (cause) => this.#end?.(cause)),
      failed: (cause) => this.#end?.(cause),
    });
  }

  /**
   * While it is read nobody else can move it. But before: 1. It was judged. 2. Somebody moves it, or makes it anew. 3. It is read from
   * there, and what is written down soon is no less than that.
   */
  async #checkUnmoved(session: Session, judged: SlotFacts): Promise<void> {
    const { slot } = await slotFacts(session, this.#settings);
    if (slot?.acknowledged !== judged.slot?.acknowledged)
      throw new Error(`The replication slot ${this.#settings.slot} was moved while it was about to be read.`);
  }

  /** What is known of the slot. Where changes may have been missed, everything was invalidated when this resolves. */
  async #judge(session: Session, sender: Sender): Promise<SlotFacts> {
    const { slot } = this.#settings;
    const facts = await slotFacts(session, this.#settings);
    this.#facts = facts;
    const verdict = judgeSlot(slot, facts);
    if (verdict.status === 'wrong') throw verdict.error;
    if (verdict.status === 'gap') await this.#gap.found(session, sender, facts, verdict);
    else this.#gap.none();
    return facts;
  }

  #watch(session: Session, stream: CaptureStream, ended: Promise<unknown>): Promise<void> {
    const { settings, source, gap } = { settings: this.#settings, source: this.#parts, gap: this.#gap };
    const looked = (facts: SlotFacts): void => {
      this.#facts = facts;
    };
    const watch = new SlotWatch({ settings, source, gap, session, looked, stop: () => stream.stop() });
    return watch.run(ended).catch((error: unknown) => this.#end?.(error));
  }

  #report(error: unknown): void {
    this.#problem = error instanceof Error ? error.message : String(error);
    if (this.#reports.passes(this.#problem))
      this.#parts.emit({ type: 'slot-waiting', slot: this.#settings.slot, error });
  }

  #noteFault({ table, error }: CaptureFault): void {
    this.#counts.unknowable++;
    if (this.#reports.passes(`${table} ${String(error)}`))
      this.#parts.emit({ type: 'unknowable-change', table, error });
  }
}

/** Whether there is nothing to be read. */
function isGone({ slot }: SlotFacts): boolean {
  return slot === undefined || slot.lost !== undefined;
}
