import { TidemarkError } from '../coherence/errors.ts';
import { Pause } from '../coherence/pause.ts';
import type { CaptureGap } from './capture-gap.ts';
import type { CaptureSettings } from './capture-options.ts';
import type { Session } from './driver.ts';
import { judgeSlot, openGap, type SlotFacts, slotFacts } from './slot.ts';
import { dropSlot, endReader } from './slot-keeping.ts';
import type { SourceParts } from './source.ts';

export interface SlotWatchParts {
  readonly source: SourceParts;
  readonly settings: CaptureSettings;
  readonly session: Session;
  readonly gap: CaptureGap;
  /** Stops reading the slot. */
  readonly stop: () => Promise<void>;
  /** Hears of all that is found. */
  readonly looked: (facts: SlotFacts) => void;
}

/** Between two looks at the slot, in ms. */
const WATCH = 5_000;

/** Looks after a slot for as long as it is read: whether it is still the same, and does not fill the disk of the database. */
export class SlotWatch {
  readonly #parts: SlotWatchParts;
  /** What the slot retained at the last look. */
  #before = Number.POSITIVE_INFINITY;

  constructor(parts: SlotWatchParts) {
    this.#parts = parts;
  }

  /**
   * Looks again and again.
   *
   * @returns once `ended` has resolved
   * @throws what makes an end of reading the slot; what the server answers
   */
  async run(ended: Promise<unknown>): Promise<void> {
    let over = false;
    const pause = new Pause(this.#parts.source.context.clock);
    void ended.then(() => {
      over = true;
      pause.end();
    });
    const isOver = (): boolean => over;
    for (;;) {
      await pause.pass(WATCH);
      if (isOver()) return;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { settings, session, gap, looked } = this.#parts;
    // One that is closed meanwhile was open when it was asked about.
    const { open } = gap;
    const facts = await slotFacts(session, settings);
    looked(facts);
    const verdict = judgeSlot(settings.slot, facts);
    if (verdict.status === 'wrong') throw verdict.error;
    if (verdict.status === 'gap' && verdict.reason !== open) throw new Error(verdict.reason);
    const retained = facts.slot?.retained ?? 0;
    if (retained > settings.maxRetained && retained >= this.#before) await this.#drop(retained);
    this.#before = retained;
  }

  /** Better to invalidate everything than to fill the disk of the database. */
  async #drop(retained: number): Promise<never> {
    const { settings, session, source, stop } = this.#parts;
    const { slot, schema, maxRetained } = settings;
    const reason = `the slot kept ${retained} bytes of the log, more than maxRetained (${maxRetained}), and was dropped`;
    await openGap(session, schema, slot, reason);
    await stop();
    await endReader(session, settings);
    await dropSlot(session, slot);
    source.emit({ type: 'slot-dropped', slot, retained });
    throw new TidemarkError(
      'INVALID_OPTION',
      `capture: ${reason}. Find out what holds it up, then run "tidemark postgres setup --recreate".`,
    );
  }
}
