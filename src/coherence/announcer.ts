import type { Announcement } from './announcements.ts';
import type { Clock } from './clock.ts';
import { shorten, TidemarkError } from './errors.ts';
import type { Everywhere } from './everywhere.ts';
import type { Follower } from './follower.ts';
import { type Guard, NO_GUARD_REMOVED, type RemovedGuards } from './guards.ts';
import type { Snapshot } from './log.ts';
import type { Position } from './position.ts';
import { type Receipt, receiptOf } from './receipt.ts';
import type { Draft, DraftDetails, LogRecord } from './record.ts';
import type { GrowingDraft } from './shared-draft.ts';
import type { View } from './view.ts';
import type { Writer } from './writer.ts';

/** What an announcement names, as the record that closes it has to name it. */
export type Announcing = Pick<GrowingDraft, 'id' | 'labels' | 'patterns' | 'targets'>;

export interface AnnouncerParts {
  readonly view: View;
  readonly follower: Follower;
  readonly writer: Writer;
  /** Where the log is in this process nobody has to be waited for. */
  readonly everywhere: Everywhere | undefined;
  readonly clock: Clock;
  readonly isAttached: () => boolean;
  readonly makeClose: (announced: Announcing, about: DraftDetails) => GrowingDraft;
  readonly removed?: RemovedGuards;
}

/** One strict write that is announced and, as far as this node knows, open. */
export interface Announced {
  readonly id: string;
  /** Appends the record that closes it, and waits until a strict commit may return. */
  commit(about: DraftDetails): Promise<Receipt>;
  /** Appends the record that closes it. */
  close(): Promise<Receipt>;
}

interface Opened {
  readonly draft: GrowingDraft;
  /** Where it was announced last. */
  position: Position | undefined;
  /** The epoch in which every node has confirmed it; empty for none, and once somebody else has closed it. */
  confirmedIn: string;
}

/** Most closed announcements that are remembered, in case the log takes one of them late. */
const REMEMBERED = 10_000;

/**
 * Announces this node's strict writes, and sees to it that each is closed:
 *
 * 1. The announcement is appended while this node is attached, and in each later epoch again before it attaches there.
 * 2. It counts once this node has applied it and every other one has confirmed it, in the epoch that this node is in.
 * 3. The record that closes it is appended. Where that is the epoch in which all have confirmed, every node withholds what it
 *    covers until it has applied the record; elsewhere every node is waited for once more.
 *
 * Nothing but a record closes an announcement: no time that passes here says how a transaction has ended.
 */
export class Announcer {
  readonly #parts: AnnouncerParts;
  readonly #removed: RemovedGuards;
  readonly #open = new Map<string, Opened>();
  /** Announcements that this node has closed or seen closed, by id; whether the record that did it was applied here. */
  readonly #closed = new Map<string, boolean>();
  /** By the message id of a closing record that is waited for: where it was appended. */
  readonly #closing = new Map<string, Position[]>();
  readonly #waiters = new Set<() => void>();
  #stopped = false;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
    this.#removed = parts.removed ?? NO_GUARD_REMOVED;
  }

  /**
   * Resolves when every node withholds what a draft names.
   *
   * @throws TidemarkError `NOT_CONFIRMED` after `ms` milliseconds, having closed it; `CLOSED`; `INVALID_OPTION` for an id in use
   */
  async announce(draft: GrowingDraft, ms: number): Promise<Announced> {
    const { id } = draft;
    if (this.#open.has(id))
      throw new TidemarkError(
        'INVALID_OPTION',
        `id: ${shorten(id)} is announced already. Give each strict write its own.`,
      );
    const opened: Opened = { draft, position: undefined, confirmedIn: '' };
    this.#open.set(id, opened);
    const until = this.#now() + ms;
    // Not before this node is attached: while the log cannot be reached, what is announced and closed would pile up.
    if (!(await this.#until(this.#parts.isAttached, until))) {
      this.#open.delete(id);
      throw this.#notConfirmed(ms, 'this node is not attached to its log');
    }
    this.#closed.delete(id);
    this.#parts.writer.announce(draft);
    if (!(await this.#confirmed(opened, until))) {
      void this.#close(opened);
      throw this.#notConfirmed(
        ms,
        opened.position === undefined ? 'the log did not take the announcement' : 'a node may not have applied it',
      );
    }
    return { id, commit: (about) => this.#commit(opened, about), close: () => this.#close(opened) };
  }

  /** What is open and was announced last in another epoch than this one. */
  missingIn(epoch: string): GrowingDraft[] {
    const missing = [...this.#open.values()].filter(
      ({ position }) => position !== undefined && position.epoch !== epoch,
    );
    return missing.map(({ draft }) => draft);
  }

  /** The log took a record of this node. */
  sent(draft: Draft, position: Position): void {
    const opened = draft.kind === 'announce' ? this.#open.get(draft.id) : undefined;
    if (opened !== undefined) opened.position = position;
    this.#closing.get(draft.id)?.push(position);
    this.changed();
  }

  /** A record was applied here, whoever made it. */
  applied(record: LogRecord): void {
    if (record.kind === 'close' && record.closes !== undefined) this.#sawClosed(record.closes);
    // An append that was given up may have been carried out after all, behind the record that closed what it announces.
    else if (record.kind === 'announce' && this.#closed.get(record.id) === true) this.#closeAgain(record);
    this.changed();
  }

  /** A copy of the log was adopted: what it does not list was closed, if it was announced there. */
  adopted({ epoch, head, announcements }: Snapshot): void {
    const listed = new Set(announcements.map((it) => it.id));
    for (const [id, { position }] of this.#open)
      if (position?.epoch === epoch && position.number <= head && !listed.has(id)) this.#sawClosed(id);
    for (const it of announcements) if (this.#closed.has(it.id)) this.#closeAgain(it);
    this.changed();
  }

  /** Something has happened that somebody may wait for. */
  changed(): void {
    if (this.#waiters.size === 0) return; // After nearly every record.
    for (const wake of [...this.#waiters]) wake();
  }

  /** Nobody here waits for anything any more. What is open stays so in the log. */
  stop(): void {
    this.#stopped = true;
    this.changed();
  }

  // --- opening

  async #confirmed(opened: Opened, until: number): Promise<boolean> {
    const { follower, everywhere } = this.#parts;
    for (;;) {
      if (!(await this.#until(() => this.#isHere(opened), until))) return false;
      const position = opened.position as Position;
      const isCurrent = (): boolean => opened.position === position && this.#isHere(opened);
      let known: boolean | undefined = follower.local || !this.#has('strictConfirm') ? true : undefined;
      if (known === undefined) {
        const isGivenUp = (): boolean => this.#stopped || !isCurrent() || this.#now() >= until;
        void everywhere?.confirmed(position, isGivenUp).then((outcome) => {
          known = outcome;
          this.changed();
        });
        await this.#until(() => known !== undefined || !isCurrent(), until);
      }
      if (known === true && isCurrent()) {
        opened.confirmedIn = position.epoch;
        return true;
      }
      if (this.#stopped || this.#now() >= until) return false;
    }
  }

  /** Whether this node, attached, has applied it where it was announced last. */
  #isHere({ position }: Opened): boolean {
    const { view, isAttached } = this.#parts;
    return position !== undefined && view.epoch === position.epoch && view.applied >= position.number && isAttached();
  }

  // --- closing

  #close(opened: Opened, about: DraftDetails = {}): Promise<Receipt> {
    const { writer, makeClose } = this.#parts;
    opened.confirmedIn = '';
    return writer.write(this.#closeDraft(opened, makeClose(opened.draft, about)), true);
  }

  #closeDraft({ draft }: Opened, close: GrowingDraft): GrowingDraft {
    this.#open.delete(draft.id);
    this.#remember(draft.id);
    return close;
  }

  async #commit(opened: Opened, about: DraftDetails): Promise<Receipt> {
    const { view, writer, makeClose } = this.#parts;
    // Whoever applies it is asked to say so where all will have to be waited for.
    const close = makeClose(opened.draft, { ...about, confirm: opened.confirmedIn !== view.epoch || undefined });
    const appended: Position[] = [];
    this.#closing.set(close.id, appended);
    const writing = writer.write(this.#closeDraft(opened, close), true);
    if (!this.#has('returnAppended') && opened.confirmedIn === view.epoch)
      return { ...receiptOf('queued', undefined), strict: true };
    const receipt = await this.#appended(await writing, appended);
    this.#closing.delete(close.id);
    const strict = appended.length > 0 && (await this.#isEverywhere(opened, appended));
    return Object.freeze({ ...receipt, strict });
  }

  /** A receipt that says `queued` is not the last word: the record is waited for as long as a node may serve when cut off. */
  async #appended(receipt: Receipt, appended: readonly Position[]): Promise<Receipt> {
    if (receipt.status !== 'queued') return receipt;
    const bound = this.#parts.everywhere?.longest ?? 0;
    await this.#until(() => appended.length > 0, this.#now() + bound);
    return appended.length === 0 ? receipt : receiptOf('appended', appended.at(-1));
  }

  /** Whether every node withholds what was announced until it has applied the record that closes it, or has applied it. */
  async #isEverywhere({ confirmedIn }: Opened, appended: readonly Position[]): Promise<boolean> {
    const { follower, everywhere } = this.#parts;
    if (follower.local || !this.#has('returnConfirmed')) return true;
    if (appended.some(({ epoch }) => epoch === confirmedIn)) return true;
    return (await everywhere?.confirmed(appended.at(-1) as Position, () => this.#stopped)) ?? false;
  }

  #sawClosed(id: string): void {
    const opened = this.#open.get(id);
    if (opened !== undefined) {
      this.#open.delete(id);
      // Somebody else has. Whether they were right to, this node's own record will not have to rely on.
      opened.confirmedIn = '';
    } else if (!this.#closed.has(id)) return;
    this.#remember(id, true);
  }

  #closeAgain({ id, labels, patterns }: Announcement | LogRecord): void {
    const { writer, makeClose } = this.#parts;
    void writer.write(makeClose({ id, labels: [...labels], patterns: [...patterns], targets: [] }, {}), true);
  }

  #remember(id: string, wasApplied = false): void {
    this.#closed.delete(id);
    this.#closed.set(id, wasApplied);
    if (this.#closed.size > REMEMBERED) this.#closed.delete(this.#closed.keys().next().value as string);
  }

  // --- waiting

  /** Resolves with `true` as soon as something is done, `false` at a moment of the monotonic clock or when this node stops. */
  async #until(isDone: () => boolean, moment: number): Promise<boolean> {
    while (!isDone()) {
      const left = moment - this.#now();
      if (left <= 0 || this.#stopped) return false;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          cancel();
          this.#waiters.delete(wake);
          resolve();
        };
        const cancel = this.#parts.clock.schedule(left, wake);
        this.#waiters.add(wake);
      });
    }
    return true;
  }

  #notConfirmed(ms: number, why: string): TidemarkError {
    if (this.#stopped)
      return new TidemarkError(
        'CLOSED',
        'The cache was closed while announce() was under way. Roll the transaction back.',
      );
    return new TidemarkError(
      'NOT_CONFIRMED',
      `Not every node has confirmed the announcement in ${ms} ms: ${why}. Roll the transaction back and try again later, or raise \`timeout\`.`,
    );
  }

  #now(): number {
    return this.#parts.clock.monotonic();
  }

  #has(guard: Guard): boolean {
    return !this.#removed.has(guard);
  }
}
