import { type Claim, claimsOf } from './claims.ts';
import type { Sql } from './database.ts';
import type { Interval } from './interval.ts';
import { Problem } from './problem.ts';
import type { Transaction } from './transact.ts';

/**
 * What an appointment goes through. In `pending` and `moving` one saga is at work, and no other may begin.
 *
 *     pending -> booked      moving -> booked
 *     pending -> cancelled   booked -> moving, cancelled
 */
export type State = 'pending' | 'booked' | 'moving' | 'cancelled';

export interface Appointment {
  readonly id: string;
  readonly customerId: string;
  readonly serviceId: string;
  readonly state: State;
  /** The saga that has the appointment, or had it last. */
  readonly saga: string;
  readonly claims: readonly Claim[];
}

export async function findAppointment(sql: Pick<Sql, 'query'>, id: string): Promise<Appointment> {
  const [row] = await sql.query<Omit<Appointment, 'claims'>>(
    `select id, customer_id as "customerId", service_id as "serviceId", state, saga
      from booking.appointment where id = $1`,
    [id],
  );
  if (row === undefined) throw new Problem(404, 'not-found', `There is no appointment ${id.slice(0, 50)}.`);
  return { ...row, claims: await claimsOf(sql, id) };
}

/** Whose time, and how much of it. */
export interface Offer {
  readonly calendarId: string;
  readonly staffName: string;
  readonly serviceName: string;
  readonly minutes: number;
}

/** @throws Problem `not-found` */
export async function findOffer(sql: Sql, staffId: string, serviceId: string): Promise<Offer> {
  const [row] = await sql.query<Offer>(
    `select staff.calendar_id as "calendarId", staff.name as "staffName", service.name as "serviceName", service.minutes
      from booking.staff, booking.service where staff.id = $1 and service.id = $2`,
    [staffId, serviceId],
  );
  if (row === undefined)
    throw new Problem(404, 'not-found', `There is no service ${serviceId.slice(0, 50)} of ${staffId.slice(0, 50)}.`);
  return row;
}

/** A new appointment, in the hands of a saga. Throws Problem `not-found` for an unknown customer. */
export async function insertAppointment(
  tx: Transaction,
  it: Pick<Appointment, 'id' | 'customerId' | 'serviceId' | 'saga'>,
): Promise<void> {
  const rows = await tx.query(
    `insert into booking.appointment (id, customer_id, service_id, state, saga)
      select $1, customer.id, $3, 'pending', $4 from booking.customer where customer.id = $2 returning 1`,
    [it.id, it.customerId, it.serviceId, it.saga],
  );
  if (rows.length === 0) throw new Problem(404, 'not-found', `There is no customer ${it.customerId.slice(0, 50)}.`);
}

/**
 * Takes an appointment from one state to the next, for a saga. Of several that try at the same time one succeeds, and a saga that
 * was thought dead and taken over finds that it has nothing to say any more.
 *
 * @param by the saga that has it now; `undefined` where any may take it
 * @returns whether it was in that state
 */
export async function advance(
  tx: Transaction,
  id: string,
  { from, to, saga, by }: { from: State; to: State; saga: string; by?: string },
): Promise<boolean> {
  const rows = await tx.query(
    `update booking.appointment set state = $3, saga = $4, since = clock_timestamp()
      where id = $1 and state = $2 and ($5::text is null or saga = $5) returning 1`,
    [id, from, to, saga, by ?? null],
  );
  return rows.length === 1;
}

/**
 * {@link advance} for the one who asks for it.
 *
 * @throws Problem `busy` or `cancelled`
 */
export async function advanceOrRefuse(tx: Transaction, id: string, step: Parameters<typeof advance>[2]): Promise<void> {
  if (await advance(tx, id, step)) return;
  if ((await settled(tx, id))?.state === 'cancelled')
    throw new Problem(409, 'cancelled', `${id} is cancelled.`, { cure: 'Book another appointment.' });
  throw new Problem(409, 'busy', `${id} is being changed by somebody else.`, { cure: 'Try again in a moment.' });
}

/** The state and the saga, once every transaction that is about to change them has ended. */
export async function settled(
  { query }: Pick<Sql, 'query'>,
  id: string,
): Promise<Pick<Appointment, 'state' | 'saga'> | undefined> {
  const text = 'select state, saga from booking.appointment where id = $1 for update';
  return (await query<Pick<Appointment, 'state' | 'saga'>>(text, [id]))[0];
}

/** Who books the same person waits here: two insertions at once would be told apart only after a deadlock. */
export async function lockStaff(tx: Transaction, staffId: string): Promise<void> {
  await tx.query('select 1 from booking.staff where id = $1 for no key update', [staffId]);
}

/** @throws Problem `outside-working-hours` */
export async function checkWorkingHours(tx: Transaction, staffId: string, { start, end }: Interval): Promise<void> {
  const rows = await tx.query(
    `select 1 from booking.working_hours as hours, (select $2::timestamptz at time zone 'UTC', $3::timestamptz at time zone 'UTC') as wanted (start, ends)
      where staff_id = $1 and weekday = extract(isodow from wanted.start) and wanted.ends::date = wanted.start::date
        and opens <= wanted.start::time and closes >= wanted.ends::time`,
    [staffId, start, end],
  );
  if (rows.length > 0) return;
  const cure = 'Ask for the availability, and choose a time from it.';
  throw new Problem(409, 'outside-working-hours', `${staffId} does not work from ${start} to ${end}.`, { cure });
}
