import { randomBytes } from 'node:crypto';
import { advance, findAppointment, findOffer, type State } from './appointments.ts';
import { sendNotices } from './notices.ts';
import { payReleases } from './owed-releases.ts';
import type { Shop } from './shop.ts';

/** What a recovery has done. */
export interface Recovered {
  readonly appointments: number;
  readonly releases: number;
  readonly notices: number;
}

/**
 * Ends what sagas have left behind whose process has died, and does what is owed. Any process may do it at any time, and several at
 * once: an appointment is taken over before anything is done to it, and its saga, should it only have slept, can change nothing
 * any more.
 *
 * @param olderThan how long a saga has to have been silent, in ms: more than any living one takes
 * @throws what the calendar, the mailbox or the database throw; the next recovery goes on
 */
export async function recover(shop: Shop, olderThan: number): Promise<Recovered> {
  const abandoned = await shop.sql.query<{ id: string; state: State; saga: string }>(
    `select id, state, saga from booking.appointment
      where state in ('pending', 'moving') and since < clock_timestamp() - $1 * interval '1 ms'`,
    [olderThan],
  );
  let appointments = 0;
  for (const { id, state, saga } of abandoned) {
    const mine = randomBytes(4).toString('hex');
    const { value: taken } = await shop.transact((tx) =>
      advance(tx, id, { from: state, to: state, saga: mine, by: saga }),
    );
    if (!taken) continue;
    await end(shop, id, { state, saga, mine });
    appointments++;
  }
  return {
    appointments,
    releases: await payReleases(shop),
    notices: await sendNotices(shop.transact, shop.mailbox, { olderThan }),
  };
}

interface Taken {
  readonly state: State;
  /** The one that is dead, and named its event in the calendar. */
  readonly saga: string;
  /** The one that has the appointment now. */
  readonly mine: string;
}

/** First the calendar, then the transaction: its record comes after all that has changed. */
async function end(shop: Shop, id: string, { state, saga, mine }: Taken): Promise<void> {
  const { calendar, claims, sql, tell, transact } = shop;
  const { claims: found, serviceId } = await findAppointment(sql, id);
  const to = state === 'moving' ? 'booked' : 'cancelled';
  const given = state === 'moving' ? found.filter((it) => it.eventId === `${id}.${saga}`) : found;
  for (const claim of given) {
    const { calendarId } = await findOffer(sql, claim.staffId, serviceId);
    await calendar.release({ calendarId, eventId: claim.eventId });
  }
  await transact(async (tx) => {
    if (!(await advance(tx, id, { from: state, to, saga: mine, by: mine }))) return;
    for (const { eventId } of given) await claims.delete({ tx, changes: tx }, eventId);
  });
  tell(`recovery ${id}`, `${state} -> ${to}`);
}
