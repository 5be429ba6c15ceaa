import { TidemarkError } from '../coherence/errors.ts';
import { Pause } from '../coherence/pause.ts';
import type { AnnouncementCloser } from './announcement-closer.ts';
import type { Bounds } from './bounds.ts';
import type { Session } from './driver.ts';
import type { Outbox } from './outbox.ts';
import type { LogSender } from './sender.ts';
import type { Source, SourceParts } from './source.ts';

export interface TermParts {
  readonly parts: SourceParts;
  readonly sender: LogSender;
  readonly session: Session;
  readonly outbox: Outbox | undefined;
  readonly capture: Source | undefined;
  readonly announcements: AnnouncementCloser;
  readonly bounds: Bounds | undefined;
}

/** How often the log's state is looked at, in ms: what is asked of the database depends on what is found. */
const LOOK = 50;

const LONGEST_PAUSE = 5_000;

/** The time for which this relay is the active one. */
export class Term {
  readonly #parts: TermParts;
  readonly #pauses = new Set<Pause>();
  #over = false;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(parts: TermParts) {
    this.#parts = parts;
  }

  start(): void {
    const { sender, session, outbox, capture, announcements, bounds } = this.#parts;
    outbox?.start(sender, session);
    this.#ended = Promise.all([
      this.#repeat('announcements', () => announcements.look(sender, session)),
      bounds === undefined ? undefined : this.#repeat('bounds', () => bounds.look(sender, session)),
      capture === undefined ? undefined : this.#begin(capture),
    ]);
  }

  /** Resolves when nothing of it runs any more. Never rejects. */
  async stop(): Promise<void> {
    const { sender, session, outbox, capture } = this.#parts;
    this.#over = true;
    sender.stop();
    session.end();
    for (const pause of this.#pauses) pause.end();
    await Promise.all([this.#ended, outbox?.stop(), capture?.stop().catch((error) => this.#report('capture', error))]);
  }

  async #begin(capture: Source): Promise<void> {
    const { sender, session } = this.#parts;
    for (let failures = 1; !this.#over; failures++) {
      try {
        return await capture.start(sender, session);
      } catch (error) {
        if (!this.#over) this.#report('capture', error);
        await this.#pause(Math.min(LONGEST_PAUSE, 100 * 2 ** Math.min(failures, 10)));
      }
    }
  }

  async #repeat(part: 'announcements' | 'bounds', look: () => Promise<void>): Promise<void> {
    for (let failures = 0; !this.#over; ) {
      try {
        await look();
        failures = 0;
        await this.#pause(LOOK);
      } catch (error) {
        await this.#pause(LOOK);
        // The end of the session, or of the sender, is the end of this term: others report it.
        if (this.#isOver() || (error instanceof TidemarkError && error.code === 'CLOSED')) return;
        failures++;
        this.#report(part, error);
        await this.#pause(Math.min(LONGEST_PAUSE, LOOK * 2 ** Math.min(failures, 10)));
      }
    }
  }

  #report(part: 'announcements' | 'bounds' | 'capture', error: unknown): void {
    this.#parts.parts.emit({ type: 'failed', part, error });
  }

  async #pause(ms: number): Promise<void> {
    if (this.#over) return;
    const pause = new Pause(this.#parts.parts.context.clock);
    this.#pauses.add(pause);
    await pause.pass(ms);
    this.#pauses.delete(pause);
  }

  // Asked after an await, where the compiler would otherwise still believe what was checked before it.
  #isOver(): boolean {
    return this.#over;
  }
}
