import { randomBytes } from 'node:crypto';
import { within } from '../coherence/deadline.ts';
import { TidemarkError } from '../coherence/errors.ts';
import type { InvalidationLog } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import { Pause } from '../coherence/pause.ts';
import type { Position } from '../coherence/position.ts';
import type { Coverage, Draft } from '../coherence/record.ts';
import type { RelayLog } from './relay-log.ts';
import { fateOf, type Sent } from './sender-fate.ts';
import type { Sender } from './source.ts';

export interface SenderParts {
  readonly log: InvalidationLog;
  /** What is read of the same log. */
  readonly reading: RelayLog;
  readonly context: PartContext;
  readonly origin: string;
  /** The log did not take an append, or did not say where it is. */
  readonly failed: (error: unknown, failures: number) => void;
}

/** Most drafts in one append, and most labels unless a single draft has more: a server does nothing else while it writes them. */
const BATCH = 500;
const BATCH_LABELS = 3_000;

const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

/** Appends for as long as this relay is the active one. */
export class LogSender implements Sender {
  readonly #parts: SenderParts;
  /** What has not been confirmed, and where it was taken. */
  readonly #sent = new WeakMap<Draft, Sent>();
  readonly #pauses = new Set<Pause>();
  #stopped = false;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  draft(coverage: Coverage, about: Partial<Draft> = {}): Draft {
    const { origin, context } = this.#parts;
    return { ...coverage, id: randomBytes(16).toString('hex'), origin, time: context.clock.wall(), ...about };
  }

  async send(drafts: readonly Draft[]): Promise<void> {
    for (const batch of batches(drafts)) await this.#untilDone(() => this.#append(batch));
  }

  async confirmed(drafts: readonly Draft[]): Promise<void> {
    await this.#untilDone(async () => {
      const left = drafts.filter((draft) => !this.isKept(draft));
      if (left.length === 0) return;
      await this.#parts.reading.prove();
      const lost = left.filter((draft) => this.#isLost(draft));
      for (const batch of batches(lost)) await this.#append(batch);
      if (left.some((draft) => !this.isKept(draft))) throw new Error('the log does not prove what it has taken');
    });
  }

  seen(id: string): boolean {
    return this.#parts.reading.seen(id);
  }

  async prove(ids: readonly string[]): Promise<void> {
    const { reading } = this.#parts;
    if (ids.some((id) => !reading.seen(id) && reading.awaits(id))) await reading.prove().catch(() => {});
  }

  mark(): Position | undefined {
    return this.#parts.reading.position;
  }

  /** Whether the draft was sent, and nothing has shown since that the log has lost it. */
  isOut(draft: Draft): boolean {
    return this.#sent.has(draft) && !this.#isLost(draft);
  }

  /** Whether the log has proven that it holds the draft. */
  isKept(draft: Draft): boolean {
    const sent = this.#sent.get(draft);
    return this.seen(draft.id) || (sent !== undefined && fateOf(sent, this.#parts.reading.proof) === 'kept');
  }

  /** For good. Who waits is told so. */
  stop(): void {
    this.#stopped = true;
    for (const pause of this.#pauses) pause.end();
  }

  #isLost(draft: Draft): boolean {
    const sent = this.#sent.get(draft);
    return sent === undefined || fateOf(sent, this.#parts.reading.proof) === 'lost';
  }

  async #append(drafts: readonly Draft[]): Promise<void> {
    const { log, context, reading } = this.#parts;
    const late = (): Error => new Error('the log did not answer');
    const { epoch, numbers } = await within(context.clock, reading.maxLag * 2, log.append(drafts), late);
    const at = context.stopwatch.now();
    drafts.forEach((draft, i) => this.#sent.set(draft, { epoch, number: numbers[i] ?? 0, at }));
  }

  async #untilDone(attempt: () => Promise<void>): Promise<void> {
    for (let failures = 1; ; failures++) {
      this.#check();
      try {
        return await attempt();
      } catch (error) {
        this.#check();
        this.#parts.failed(error, failures);
        await this.#pause(failures);
      }
    }
  }

  async #pause(failures: number): Promise<void> {
    const { clock, random } = this.#parts.context;
    const ms = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 10));
    const pause = new Pause(clock);
    this.#pauses.add(pause);
    await pause.pass(ms * (0.5 + random()));
    this.#pauses.delete(pause);
  }

  #check(): void {
    if (this.#stopped) throw new TidemarkError('CLOSED', 'This relay is not the active one any more.');
  }
}

function batches(drafts: readonly Draft[]): Draft[][] {
  const made: Draft[][] = [];
  let batch: Draft[] = [];
  let labels = 0;
  for (const draft of drafts) {
    if (batch.length > 0 && (batch.length === BATCH || labels + draft.labels.length > BATCH_LABELS)) {
      made.push(batch);
      batch = [];
      labels = 0;
    }
    batch.push(draft);
    labels += draft.labels.length;
  }
  return batch.length > 0 ? [...made, batch] : made;
}
