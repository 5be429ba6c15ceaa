import { randomBytes } from 'node:crypto';
import {
  type Appointment,
  advance,
  advanceOrRefuse,
  checkWorkingHours,
  findAppointment,
  findOffer,
  lockStaff,
  settled,
} from './appointments.ts';
import { dayTarget } from './availability.ts';
import type { Fresh } from './fresh.ts';
import { dayOf, intervalFrom } from './interval.ts';
import { notify, writeNotice } from './notices.ts';
import { oweRelease, releaseOrOwe, releaseStep } from './owed-releases.ts';
import { Problem } from './problem.ts';
import { runSaga } from './saga.ts';
import type { Shop } from './shop.ts';

/**
 * Moves an appointment to another time of the same person. The old time stays taken until the new one is certain.
 *
 * @throws Problem; then the appointment is where it was, or the recovery brings it back
 */
export async function reschedule(shop: Shop, id: string, start: string, fresh: Fresh): Promise<Appointment> {
  const { calendar, claims, sql, transact } = shop;
  const appointment = await findAppointment(sql, id);
  const [old] = appointment.claims;
  if (old === undefined)
    throw new Problem(409, 'cancelled', `${id} is cancelled.`, { cure: 'Book another appointment.' });
  const { staffId } = old;
  const offer = await findOffer(sql, staffId, appointment.serviceId);
  const time = intervalFrom(start, offer.minutes);
  if (time === undefined) throw new Problem(400, 'bad-request', 'start must be a time, such as 2026-03-02T10:00:00Z.');
  const saga = randomBytes(4).toString('hex');
  const event = { calendarId: offer.calendarId, eventId: `${id}.${saga}`, ...time };
  const claim = { eventId: event.eventId, appointmentId: id, staffId, ...time };
  const [oldDay, newDay] = [dayOf(old.start), dayOf(time.start)];
  fresh.cover(dayTarget(staffId, oldDay), dayTarget(staffId, newDay));

  // The answer to a COMMIT may be lost: what has moved stays there, and so does what was done before.
  const hasMoved = async (): Promise<boolean> => {
    const now = await settled(sql, id);
    return now?.state === 'booked' && now.saga === saga;
  };

  await runSaga(
    `reschedule ${id}`,
    [
      fresh,
      {
        name: 'claim the new time',
        run: () =>
          transact(async (tx) => {
            await advanceOrRefuse(tx, id, { from: 'booked', to: 'moving', saga });
            await lockStaff(tx, staffId);
            await checkWorkingHours(tx, staffId, time);
            await claims.save({ tx, changes: tx }, claim);
          }),
        compensate: () =>
          transact(async (tx) => {
            if (await advance(tx, id, { from: 'moving', to: 'booked', saga, by: saga }))
              await claims.delete({ tx, changes: tx }, event.eventId);
          }),
      },
      {
        name: 'put the new time into the calendar',
        run: () => calendar.confirm(event),
        compensate: () => releaseOrOwe(shop, event, { staffId, day: newDay }),
      },
      {
        name: 'move',
        run: () =>
          transact(async (tx) => {
            await advanceOrRefuse(tx, id, { from: 'moving', to: 'booked', saga, by: saga });
            await claims.delete({ tx, changes: tx }, old.eventId);
            await oweRelease(tx, old.eventId, { staffId, day: oldDay });
            await writeNotice(tx, { appointmentId: id, message: `Moved to ${time.start.slice(0, 16)}` });
          }).catch(async (error: unknown) => {
            if (!(await hasMoved())) throw error;
          }),
        compensate: async () => {
          if (await hasMoved()) throw new Error('it has moved');
        },
      },
      releaseStep(shop, old.eventId),
      notify(shop, id),
      fresh,
    ],
    shop.tell,
  );
  return { ...appointment, saga, claims: [claim] };
}
