import type { Draft } from '../coherence/record.ts';
import type { CaptureSettings } from './capture-options.ts';
import type { Session } from './driver.ts';
import { parseLsn } from './lsn.ts';
import { closeGap, openGap, type SlotFacts, type SlotVerdict } from './slot.ts';
import type { Sender, SourceParts } from './source.ts';
import { parseSnapshot, type SnapshotView } from './visibility.ts';

/** A gap that is being mended: who ran when the slot was there, and has to end first. */
interface Mending {
  readonly facts: SlotFacts;
  /** Everyone with a smaller id may have committed without the slot's hearing of it. */
  readonly before: bigint;
  busy: boolean;
}

/**
 * What becomes of changes that were missed: everything is invalidated, at once and once more.
 *
 * Once is not enough: 1. A transaction writes its commit, and waits for a synchronous replica. 2. A slot is made; what was
 * committed before is not in it. 3. Everything is invalidated. 4. A reader loads the old value. 5. The transaction becomes
 * visible, and nobody tells of it. So everything is invalidated again, once all have ended that ran when the slot was there.
 */
export class CaptureGap {
  readonly #source: SourceParts;
  readonly #settings: CaptureSettings;
  /** The gap, as it is written down. */
  #open: string | undefined;
  /** The gap about which everything was invalidated at once. */
  #told: string | undefined;
  #mending: Mending | undefined;

  constructor(source: SourceParts, settings: CaptureSettings) {
    this.#source = source;
    this.#settings = settings;
  }

  /** Why everything has to be invalidated, as long as it has not been. */
  get open(): string | undefined {
    return this.#open;
  }

  none(): void {
    this.#open = undefined;
    this.#mending = undefined;
  }

  /**
   * A gap was found. Everything is invalidated, unless it was, about this very gap; and once more, sooner or later, if there is
   * a slot that can be read from here on.
   */
  async found(
    session: Session,
    sender: Sender,
    facts: SlotFacts,
    { reason, exists }: SlotVerdict & { readonly status: 'gap' },
  ): Promise<void> {
    const { schema, slot } = this.#settings;
    this.#mending = undefined;
    this.#open = facts.state?.gap ?? (await openGap(session, schema, slot, reason));
    const news = this.#open !== this.#told;
    if (news) this.#source.emit({ type: 'slot-gap', slot, reason, exists });
    if (exists) {
      const [own] = await session.query('SELECT pg_current_xact_id()::text AS xid');
      this.#mending = { facts, before: BigInt(String(own?.['xid'])), busy: false };
      const [row] = await session.query('SELECT pg_current_snapshot()::text AS snapshot');
      // Mostly nobody runs for long, and once is enough.
      if (await this.#mend(parseSnapshot(row?.['snapshot']), session, sender)) return;
    }
    if (news) await sender.send([await this.#everything(session, sender)]);
    this.#told = this.#open;
  }

  /** Takes note of who runs. */
  looked(snapshot: SnapshotView, session: Session, sender: Sender, failed: (cause: unknown) => void): void {
    if (this.#mending !== undefined) this.#mend(snapshot, session, sender).catch(failed);
  }

  /** Closes the gap, if all have ended that it may hide. */
  async #mend({ xmin }: SnapshotView, session: Session, sender: Sender): Promise<boolean> {
    const mending = this.#mending;
    const gap = this.#open;
    if (mending === undefined || gap === undefined || mending.busy || xmin < mending.before) return false;
    mending.busy = true;
    const { schema, slot } = this.#settings;
    const { facts } = mending;
    const draft = await this.#everything(session, sender);
    await sender.send([draft]);
    await sender.confirmed([draft]);
    await closeGap(session, schema, { slot, gap, facts, reached: facts.slot?.acknowledged ?? 0n });
    this.none();
    this.#source.emit({ type: 'slot-mended', slot, reason: gap });
    return true;
  }

  /** Of all that is visible now. */
  async #everything(session: Session, sender: Sender): Promise<Draft> {
    const lsnAfter = sender.mark();
    const [row] = await session.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    return sender.draft(
      { kind: 'everything', labels: [], patterns: [] },
      { lsn: parseLsn(row?.['lsn']), lsnAfter, targets: ['everything'] },
    );
  }
}
