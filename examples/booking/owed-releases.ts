import { dayTarget } from './availability.ts';
import type { CalendarEvent } from './calendar.ts';
import type { Step } from './saga.ts';
import type { Shop } from './shop.ts';
import type { Transaction } from './transact.ts';

/** Whose day changes when the calendar forgets an event. */
export interface Place {
  readonly staffId: string;
  readonly day: string;
}

/** Writes down that the calendar has to forget an event. */
export async function oweRelease(
  { query }: Pick<Transaction, 'query'>,
  eventId: string,
  { staffId, day }: Place,
): Promise<void> {
  await query('insert into booking.owed_release (event_id, staff_id, day) values ($1, $2, $3) on conflict do nothing', [
    ...[eventId, staffId, day],
  ]);
}

/**
 * Removes an event from the calendar now or, where the calendar does not answer, later.
 *
 * @throws what the database throws, where neither can be done
 */
export async function releaseOrOwe(
  { calendar, sql, tell }: Shop,
  event: Pick<CalendarEvent, 'calendarId' | 'eventId'>,
  place: Place,
): Promise<void> {
  try {
    await calendar.release(event);
  } catch {
    await oweRelease(sql, event.eventId, place);
    tell('calendar', `${event.eventId} is to be released later`);
  }
}

/**
 * Pays what is owed. The transaction comes after the calendar's change, so its record does too.
 *
 * @param eventId one event; default all
 * @returns how many events were released
 * @throws Problem `calendar-unavailable`; the rest is still owed
 */
export async function payReleases({ calendar, sql, transact }: Shop, eventId?: string): Promise<number> {
  const owed = await sql.query<{ eventId: string; calendarId: string; staffId: string; day: string }>(
    `select event_id as "eventId", calendar_id as "calendarId", staff_id as "staffId", day::text
      from booking.owed_release join booking.staff on staff.id = staff_id where $1::text is null or event_id = $1`,
    [eventId ?? null],
  );
  for (const { staffId, day, ...event } of owed) {
    await calendar.release(event);
    await transact(async (tx) => {
      await tx.query('delete from booking.owed_release where event_id = $1', [event.eventId]);
      tx.invalidate(dayTarget(staffId, day));
    });
  }
  return owed.length;
}

/** The step that pays one release that was written down before. It never fails: the recovery does what cannot be done now. */
export function releaseStep(shop: Shop, eventId: string): Step {
  const run = (): Promise<unknown> =>
    payReleases(shop, eventId).catch((error: Error) =>
      shop.tell('calendar', `${eventId} is to be released later: ${error.message}`),
    );
  return { name: 'release the time in the calendar', run };
}
