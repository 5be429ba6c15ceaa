import { within } from '../coherence/deadline.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { everything } from '../coherence/target.ts';
import { type Arrival, arrival, type Mapped, type Provenience } from './arrival.ts';
import { type IntakeEvent, logIntake, type Parked } from './intake-event.ts';
import {
  checkHandler,
  type EventHandler,
  type IntakeOptions,
  type IntakeSettings,
  intakeSettings,
} from './intake-options.ts';
import { Lane, type Taken } from './lane.ts';
import { Parking } from './parking.ts';
import type { DomainEvent } from './rule.ts';

/** Numbers since the intake was made, and what is now. */
export interface IntakeStatistics {
  /** Events that were handled; those among them that the log has not taken at that time count too. */
  readonly handled: number;
  /** Attempts that have failed. */
  readonly failures: number;
  /** Events that were given up. */
  readonly givenUp: number;
  /** Events that were given up while nothing was covered instead, and that are not parked any more: their invalidations are lost. */
  readonly lost: number;
  /** Events that wait now, or are being handled. */
  readonly waiting: number;
  /** Events that are parked now. */
  readonly parked: number;
}

/** What had not been handled when an intake was closed. */
export interface Unhandled {
  /** Sources and ids, in their order. */
  readonly unhandled: readonly Required<Provenience>[];
  /** Whether everything was covered instead. */
  readonly covered: boolean;
}

/** What the source of an intake does for it. */
export interface SourceHabits {
  /** It keeps what it was not told to forget, and brings it again: what is not handled at the end is not lost. */
  readonly keeps: boolean;
  /** It is to be told only once the log has the invalidation, however long that takes. */
  readonly waits: boolean;
}

interface Handled<E> {
  readonly events: readonly E[];
  /** Whether the log has not taken any of its invalidations yet. */
  readonly queued: boolean;
}

/** Most names, of types or of what is not mapped, that are remembered. */
const MOST_NAMES = 1_000;

/**
 * Takes domain events from a source to their handler: one at a time and in order for each source; again, with growing pauses,
 * if that fails; and after the last retry everything is covered instead, the event is parked and reported, and the next one
 * begins. Made by {@link createIntake} and by the functions that connect a bus.
 *
 * An event whose type was given up the last time is tried once only, until one of its type is handled again: a rule that is
 * broken holds up all others for the time of one event, not of every one.
 */
export class Intake<E extends DomainEvent> {
  readonly #handler: EventHandler<E>;
  readonly #settings: IntakeSettings<E>;
  readonly #habits: SourceHabits;
  readonly #lanes = new Map<string, Lane<E>>();
  readonly #parking: Parking<E>;
  /** Types whose last event was given up. */
  readonly #failing = new Set<string>();
  /** Names of what came and is not mapped. */
  readonly #unmapped = new Set<string>();
  #count = { handled: 0, failures: 0, givenUp: 0, lost: 0 };
  #made = 0;
  #waiting = 0;
  #closing: Promise<Unhandled> | undefined;

  /** Use {@link createIntake}. */
  constructor(handler: EventHandler<E>, settings: IntakeSettings<E>, habits: SourceHabits) {
    this.#handler = handler;
    this.#settings = settings;
    this.#habits = habits;
    this.#parking = new Parking(settings.maxParked);
  }

  /** Whether so many events wait that one more would make it give up all of them. */
  get full(): boolean {
    return this.#waiting >= this.#settings.maxQueue;
  }

  /**
   * Takes an event, or what reads events from something that has arrived. Never rejects.
   *
   * @returns what became of it, once that is certain
   */
  take(what: E | (() => Mapped<E>), { source = 'local', id = `${++this.#made}` }: Provenience = {}): Promise<Taken> {
    return this.#enter(arrival(typeof what === 'function' ? what : () => what, source, id));
  }

  /**
   * The source may have lost events: everything is covered, since nobody can say what they made stale.
   *
   * @returns whether that was done
   */
  async missed(source: string, cause: unknown): Promise<boolean> {
    const covered = (await this.#cover('intake.gap')) !== 'failed';
    this.tell({ type: 'gap', source, cause, covered });
    return covered;
  }

  /** Something came that no event is named for. Told once for each name, as long as there are not too many of them. */
  unmapped(source: string, name: string): void {
    const known = JSON.stringify([source, name]);
    if (this.#unmapped.has(known)) return;
    if (this.#unmapped.size >= MOST_NAMES) this.#unmapped.clear();
    this.#unmapped.add(known);
    this.tell({ type: 'unmapped', source, name });
  }

  /** The events that were given up, oldest first. */
  parked(): readonly Parked<E>[] {
    return this.#parking.list();
  }

  /** Tries those that are parked again, in their order. @returns how many were handled, and how many are parked now */
  async retryParked(): Promise<{ handled: number; parked: number }> {
    const taken = await Promise.all(this.#parking.arrivals().map((it) => this.#enter(it)));
    const handled = taken.filter(({ status }) => status === 'handled' || status === 'queued').length;
    return { handled, parked: this.#parking.size };
  }

  statistics(): IntakeStatistics {
    return { ...this.#count, waiting: this.#waiting, parked: this.#parking.size };
  }

  /** Reports something; that the report itself fails harms nothing. */
  tell(event: IntakeEvent<E>): void {
    const { report, logger } = this.#settings;
    try {
      if (logger !== undefined) logIntake(logger, event);
      report?.(event);
    } catch {
      // Whoever is told fails: there is nobody left to tell.
    }
  }

  /**
   * Takes nothing more, and lets what waits be handled, for at most `drain` (default `'1s'`). What is left then, of a source that
   * does not bring it again, is covered by everything.
   */
  async close(options: { readonly drain?: Duration } = {}): Promise<Unhandled> {
    const ms = milliseconds(options.drain ?? '1s', 'drain');
    this.#closing ??= this.#close(ms);
    return this.#closing;
  }

  async #close(drain: number): Promise<Unhandled> {
    const lanes = [...this.#lanes.values()];
    const idle = Promise.all(lanes.map((lane) => lane.idle)).then(() => {});
    if (lanes.length > 0 && drain > 0)
      await within(this.#settings.clock, drain, idle, () => new Error('late')).catch(() => {});
    const left = lanes.flatMap((lane) => lane.stop());
    if (left.length === 0) return { unhandled: [], covered: false };
    const covered = !this.#habits.keeps && (await this.#cover('intake.closed')) !== 'failed';
    this.tell({ type: 'closed', unhandled: left.length, covered });
    return { unhandled: left.map(({ source, id }) => ({ source, id })), covered };
  }

  async #enter(it: Arrival<E>): Promise<Taken> {
    if (this.#closing !== undefined) return { status: 'closed' };
    if (it.known?.length === 0) return { status: 'handled' };
    if (this.full) return this.#overflow(it);
    this.#waiting++;
    try {
      return await this.#lane(it.source).push(it);
    } finally {
      this.#waiting--;
    }
  }

  #lane(source: string): Lane<E> {
    const found = this.#lanes.get(source);
    if (found !== undefined) return found;
    const lane: Lane<E> = new Lane<E>({
      ...this.#settings,
      carry: (it) => this.#carry(it, lane),
      failed: ({ source: from, id }, error, attempt, again) => {
        this.#count.failures++;
        this.tell({ type: 'failed', source: from, id, attempt, again, error });
      },
      emptied: () => this.#lanes.delete(source),
    });
    this.#lanes.set(source, lane);
    return lane;
  }

  async #carry(it: Arrival<E>, lane: Lane<E>): Promise<Taken> {
    const kind = JSON.stringify([it.source, it.type]);
    for (let times = 0; ; times++) {
      let done: Handled<E> = { events: [], queued: false };
      const handle = async (): Promise<void> => {
        done = await this.#handle(it);
      };
      const outcome = await lane.delivery.deliver(handle, this.#failing.has(kind) ? 1 : 1 + this.#settings.retries);
      if (outcome.status === 'closed') return { status: 'closed' };
      if (outcome.status === 'failed') return this.#giveUp(it, kind, outcome.error, lane);
      this.#failing.delete(kind);
      if (done.queued && this.#habits.waits) {
        if (await lane.look(times)) continue;
        return { status: 'closed' };
      }
      this.#count.handled++;
      this.#parking.remove(it);
      this.tell({ type: 'handled', source: it.source, id: it.id, events: done.events });
      return { status: done.queued ? 'queued' : 'handled' };
    }
  }

  async #handle(it: Arrival<E>): Promise<Handled<E>> {
    const events = it.events();
    let queued = false;
    for (const event of events) queued = isQueued(await this.#handler.handle(event)) || queued;
    return { events, queued };
  }

  async #giveUp(it: Arrival<E>, kind: string, error: unknown, lane: Lane<E>): Promise<Taken> {
    if (this.#failing.size >= MOST_NAMES) this.#failing.clear();
    this.#failing.add(kind);
    let cover = await this.#cover('intake.given-up');
    for (let times = 0; cover === 'queued' && this.#habits.waits && (await lane.look(times)); times++)
      cover = await this.#cover('intake.given-up');
    this.#park(it, error, cover !== 'failed');
    if (cover === 'queued') return { status: 'queued', error };
    return { status: cover === 'covered' ? 'covered' : 'parked', error };
  }

  #park(it: Arrival<E>, error: unknown, covered: boolean): void {
    this.#count.givenUp++;
    const { source, id, known } = it;
    const parked: Parked<E> = { source, id, events: known, error, covered, since: this.#settings.clock.wall() };
    const left = this.#parking.add(parked, it);
    this.tell({ type: 'parked', parked });
    if (left === undefined) return;
    if (!left.covered) this.#count.lost++;
    this.tell({ type: 'unparked', parked: left });
  }

  /** Covers everything. */
  async #cover(event: string): Promise<'covered' | 'queued' | 'failed'> {
    const { fallback } = this.#settings;
    if (fallback === undefined) return 'failed';
    try {
      return isQueued(await fallback.invalidate([everything()], { cause: { event } })) ? 'queued' : 'covered';
    } catch {
      return 'failed'; // The cache was closed, say. Whoever gave up reports that nothing was covered.
    }
  }

  /** With a cache to fall back on, all that wait become one `everything`; without one there is no room for this one. */
  async #overflow(it: Arrival<E>): Promise<Taken> {
    const error = new TidemarkError(
      'UNAVAILABLE',
      `More than ${this.#settings.maxQueue} events wait. Raise maxQueue, or find what holds up ${shorten(it.source)}.`,
    );
    if (this.#settings.fallback === undefined) {
      this.#park(it, error, false);
      return { status: 'parked', error };
    }
    const waiting = [...this.#lanes.values()].flatMap((lane) => lane.clear());
    const cover = await this.#cover('intake.overflow');
    this.tell({ type: 'overflowed', count: waiting.length + 1, covered: cover !== 'failed' });
    const taken: Taken = { status: cover === 'failed' ? 'parked' : cover, error };
    for (const { end } of waiting) end(taken);
    if (cover !== 'failed') this.#count.givenUp += waiting.length + 1;
    else for (const one of [...waiting.map((each) => each.arrival), it]) this.#park(one, error, false);
    return taken;
  }
}

/**
 * An intake of one's own, for a source that this library does not connect by itself: a queue, a webhook, a file.
 *
 * @param handler rules, or anything with `handle(event)`
 * @param options with `until: 'appended'`, `take` resolves only once the log has the invalidation, as a source needs it that
 * keeps events until they are acknowledged; then what is not handled at the end is left to that source. Default `'handled'`.
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure
 * @example
 * const intake = createIntake(rules, { fallback: cache, logger, until: 'appended' });
 * const { status } = await intake.take({ type: 'user.updated', id: 42 }, { source: 'users', id: message.id });
 * if (status === 'handled' || status === 'covered') await message.acknowledge();
 */
export function createIntake<E extends DomainEvent>(
  handler: EventHandler<E>,
  options: IntakeOptions<E> & { readonly until?: 'handled' | 'appended' },
): Intake<E> {
  const settings = intakeSettings(options, 'createIntake', ['until']);
  checkHandler(handler, 'createIntake');
  const { until = 'handled' } = options;
  if (until !== 'handled' && until !== 'appended')
    throw new TidemarkError('INVALID_OPTION', `until: ${shorten(until)} is neither 'handled' nor 'appended'.`);
  return new Intake(handler, settings, { keeps: until === 'appended', waits: until === 'appended' });
}

/** Whether a receipt says that the log has not taken it; rules of several caches may answer with a list. */
function isQueued(answer: unknown): boolean {
  if (Array.isArray(answer)) return answer.some(isQueued);
  return typeof answer === 'object' && answer !== null && 'status' in answer && answer.status === 'queued';
}
