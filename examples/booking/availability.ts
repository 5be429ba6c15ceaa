import { type Cache, type Query, type Target, tag, withContext } from 'tidemark';
import type { Calendar } from './calendar.ts';
import type { Sql } from './database.ts';
import { freeTime, type Interval } from './interval.ts';

/** What the calendar's part of an answer is worth. */
export interface CalendarState {
  /** `last-known`: the calendar does not answer, this is what it said before. `unknown`: it has said nothing yet. */
  readonly state: 'live' | 'last-known' | 'unknown';
  /** When the calendar said so. */
  readonly asOf?: string;
}

/** When somebody can be booked on a day. The service's own appointments are always in it; the calendar's as far as it answers. */
export interface Availability {
  readonly staffId: string;
  readonly day: string;
  readonly free: readonly Interval[];
  readonly calendar: CalendarState;
  /** What the calendar said: kept for when it does not answer. */
  readonly outside: readonly Interval[];
}

export type AvailabilityQuery = Query<[staffId: string, day: string], Availability | null>;

/** What a change of somebody's day makes stale, wherever the change is made. */
export function dayTarget(staffId: string, day: string): Target {
  return tag(dayTag(staffId, day));
}

function dayTag(staffId: string, day: string): string {
  return `day:${staffId}:${day}`;
}

/** For each person and day one cached value; `null` where there is no such person. */
export function availabilityQuery(cache: Cache, sql: Sql, calendar: Calendar): AvailabilityQuery {
  return cache.query({
    name: 'availability',
    tags: (staffId, day) => [dayTag(staffId, day)],
    // Bounds what an event in the calendar that nobody told of can be late.
    ttl: '1m',
    negativeTtl: '10s',
    // For when the database does not answer: an old value, marked as stale.
    grace: '1h',
    // Longer than the calendar is waited for, or nobody would see what stands in for it.
    timeout: calendar.deadline + 5_000,
    load: withContext(async (ctx, staffId: string, day: string): Promise<Availability | null> => {
      const own = await ownPart(sql, staffId, day);
      if (own === undefined) return null;
      const previous = ctx.previous as Availability | null | undefined;
      const { outside, ...state } = await outsidePart(calendar, own.calendarId, day, ctx.signal, previous);
      // What is not as good as it could be is tried again soon.
      if (state.state !== 'live') ctx.ttl('5s');
      const free = freeTime(own.hours, [...own.claims, ...outside]);
      return { staffId, day, free, calendar: state, outside };
    }),
  });
}

interface OwnPart {
  readonly calendarId: string;
  readonly hours: Interval | undefined;
  readonly claims: readonly Interval[];
}

/** Everything that the database knows of the day, as of one moment. */
async function ownPart(sql: Sql, staffId: string, day: string): Promise<OwnPart | undefined> {
  const [row] = await sql.query<{ calendarId: string; opens: Date | null; closes: Date | null; claims: Interval[] }>(
    `select staff.calendar_id as "calendarId",
        ($2::date + hours.opens) at time zone 'UTC' as opens, ($2::date + hours.closes) at time zone 'UTC' as closes,
        coalesce((
          select jsonb_agg(jsonb_build_object('start', lower(claim.during), 'end', upper(claim.during)))
          from booking.claim
          where claim.staff_id = staff.id and claim.during && tstzrange(
              ($2::date + time '00:00') at time zone 'UTC', ($2::date + time '24:00') at time zone 'UTC')
        ), '[]') as claims
      from booking.staff
      left join booking.working_hours as hours
        on hours.staff_id = staff.id and hours.weekday = extract(isodow from $2::date)
      where staff.id = $1`,
    [staffId, day],
  );
  if (row === undefined) return undefined;
  const { calendarId, opens, closes, claims } = row;
  const iso = (time: Date | string): string => new Date(time).toISOString();
  return {
    calendarId,
    hours: opens === null || closes === null ? undefined : { start: iso(opens), end: iso(closes) },
    claims: claims.map(({ start, end }) => ({ start: iso(start), end: iso(end) })),
  };
}

async function outsidePart(
  calendar: Calendar,
  calendarId: string,
  day: string,
  signal: AbortSignal,
  previous: Availability | null | undefined,
): Promise<CalendarState & { readonly outside: readonly Interval[] }> {
  try {
    const outside = await calendar.busy(calendarId, day, signal);
    return { state: 'live', asOf: new Date().toISOString(), outside };
  } catch {
    const asOf = previous?.calendar.asOf;
    if (!previous || asOf === undefined) return { state: 'unknown', outside: [] };
    return { state: 'last-known', asOf, outside: previous.outside };
  }
}
