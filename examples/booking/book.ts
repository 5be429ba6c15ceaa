import { randomBytes } from 'node:crypto';
import {
  type Appointment,
  advance,
  advanceOrRefuse,
  checkWorkingHours,
  findOffer,
  insertAppointment,
  lockStaff,
} from './appointments.ts';
import { dayTarget } from './availability.ts';
import type { Fresh } from './fresh.ts';
import { dayOf, intervalFrom } from './interval.ts';
import { notify, writeNotice } from './notices.ts';
import { releaseOrOwe } from './owed-releases.ts';
import { Problem } from './problem.ts';
import { runSaga } from './saga.ts';
import type { Shop } from './shop.ts';

export interface BookingRequest {
  readonly staffId: string;
  readonly serviceId: string;
  readonly customerId: string;
  readonly start: string;
}

/**
 * Books an appointment. Until `confirm` nobody has promised anything: a hold that is left behind goes by itself, and so does, by
 * the recovery, an appointment that stays pending.
 *
 * @throws Problem; then there is no appointment, or the recovery takes it away
 */
export async function book(shop: Shop, request: BookingRequest, fresh: Fresh): Promise<Appointment> {
  const { calendar, claims, sql, transact } = shop;
  const { staffId, serviceId, customerId } = request;
  const offer = await findOffer(sql, staffId, serviceId);
  const time = intervalFrom(request.start, offer.minutes);
  if (time === undefined) throw new Problem(400, 'bad-request', 'start must be a time, such as 2026-03-02T10:00:00Z.');
  const [id, saga] = [`A${randomBytes(4).toString('hex')}`, randomBytes(4).toString('hex')];
  const event = { calendarId: offer.calendarId, eventId: `${id}.${saga}`, ...time };
  const claim = { eventId: event.eventId, appointmentId: id, staffId, ...time };
  const day = dayOf(time.start);
  fresh.cover(dayTarget(staffId, day));

  await runSaga(
    `book ${id}`,
    [
      fresh,
      {
        name: 'hold the time in the calendar',
        run: () => calendar.hold(event),
        compensate: () => releaseOrOwe(shop, event, { staffId, day }),
      },
      {
        name: 'insert the appointment',
        run: () =>
          transact(async (tx) => {
            await lockStaff(tx, staffId);
            await checkWorkingHours(tx, staffId, time);
            await insertAppointment(tx, { id, customerId, serviceId, saga });
            await claims.save({ tx, changes: tx }, claim);
          }),
        // Also where the last step has failed, and was committed all the same.
        compensate: () =>
          transact(async (tx) => {
            const to = { to: 'cancelled', saga, by: saga } as const;
            const undone =
              (await advance(tx, id, { from: 'pending', ...to })) || (await advance(tx, id, { from: 'booked', ...to }));
            if (!undone) return;
            await claims.delete({ tx, changes: tx }, event.eventId);
            await tx.query('delete from booking.notice where appointment_id = $1 and sent_at is null', [id]);
          }),
      },
      { name: 'confirm to the calendar', run: () => calendar.confirm(event) },
      {
        name: 'book',
        run: () =>
          transact(async (tx) => {
            await advanceOrRefuse(tx, id, { from: 'pending', to: 'booked', saga, by: saga });
            const message = `${offer.serviceName} with ${offer.staffName}: ${time.start.slice(0, 16)}`;
            await writeNotice(tx, { appointmentId: id, message });
          }),
      },
      notify(shop, id),
      fresh,
    ],
    shop.tell,
  );
  return { id, customerId, serviceId, state: 'booked', saga, claims: [claim] };
}
