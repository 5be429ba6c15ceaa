import type { Interval } from './interval.ts';
import { Problem } from './problem.ts';
import { slotTaken } from './transact.ts';

/** An event that this service keeps in somebody's calendar. */
export interface CalendarEvent extends Interval {
  readonly calendarId: string;
  readonly eventId: string;
}

export interface CalendarOptions {
  readonly url: string;
  /** How long one request may take, in ms. Default 1,000. */
  readonly deadline?: number;
}

/** The external calendar, which may be slow, down, or wrong. */
export class Calendar {
  readonly #options: CalendarOptions;

  constructor(options: CalendarOptions) {
    this.#options = options;
  }

  /** How long one request may take, in ms. */
  get deadline(): number {
    return this.#options.deadline ?? 1_000;
  }

  /**
   * When somebody is busy, as the calendar sees it: private events, and the ones of this service.
   *
   * @param day in UTC, such as `2026-03-02`
   * @param signal ends the request before its deadline
   * @throws Problem `calendar-unavailable`
   */
  async busy(calendarId: string, day: string, signal: AbortSignal): Promise<Interval[]> {
    const path = `/calendars/${encodeURIComponent(calendarId)}/busy?day=${encodeURIComponent(day)}`;
    return intervals(await this.#send('GET', path, undefined, signal));
  }

  /**
   * Keeps a time for a few minutes; the calendar forgets it by itself.
   *
   * @throws Problem `slot-taken` where its owner has something else then; `calendar-unavailable`, and then the event may be
   * there or not
   */
  async hold(event: CalendarEvent): Promise<void> {
    await this.#put(event, 'held');
  }

  /**
   * Puts an event there for good, held before or not. Again makes no difference.
   *
   * @throws as {@link hold}
   */
  async confirm(event: CalendarEvent): Promise<void> {
    await this.#put(event, 'confirmed');
  }

  /**
   * Removes an event, for good: what was asked for it before and comes later is refused. One that is not there makes no difference.
   *
   * @throws Problem `calendar-unavailable`
   */
  async release({ calendarId, eventId }: Pick<CalendarEvent, 'calendarId' | 'eventId'>): Promise<void> {
    await this.#send('DELETE', eventPath(calendarId, eventId));
  }

  async #put({ calendarId, eventId, start, end }: CalendarEvent, state: 'held' | 'confirmed') {
    await this.#send('PUT', eventPath(calendarId, eventId), { start, end, state });
  }

  async #send(method: string, path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
    const deadline = AbortSignal.timeout(this.deadline);
    let status: number;
    let answer: unknown;
    try {
      const response = await fetch(this.#options.url + path, {
        method,
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      status = response.status;
      // Read to its end also where it says nothing, or the connection would stay open.
      const text = await response.text();
      answer = status === 200 ? (JSON.parse(text) as unknown) : undefined;
    } catch (error) {
      throw unavailable(error);
    }
    if (status === 409) throw slotTaken();
    if (status !== 200) throw unavailable(new Error(`${method} ${path} was answered with ${status}`));
    return answer;
  }
}

function eventPath(calendarId: string, eventId: string): string {
  return `/calendars/${encodeURIComponent(calendarId)}/events/${encodeURIComponent(eventId)}`;
}

function unavailable(cause: unknown): Problem {
  return new Problem(503, 'calendar-unavailable', 'The calendar of this person cannot be asked.', {
    cure: 'Nothing was changed. Try again in a moment.',
    cause,
  });
}

/** What the calendar says is checked: text that means nothing must not count as a day without appointments. */
function intervals(answer: unknown): Interval[] {
  const list = typeof answer === 'object' && answer !== null ? (answer as { busy?: unknown }).busy : undefined;
  if (!Array.isArray(list)) throw unavailable(new Error('the calendar answered something else than a list'));
  return list.map((it: unknown) => {
    const { start, end } = (it ?? {}) as { start?: unknown; end?: unknown };
    const [from, to] = [Date.parse(String(start)), Date.parse(String(end))];
    if (!(from < to)) throw unavailable(new Error('the calendar answered a time that is none'));
    return { start: new Date(from).toISOString(), end: new Date(to).toISOString() };
  });
}
