import { randomBytes } from 'node:crypto';
import { type Appointment, advanceOrRefuse, findAppointment, settled } from './appointments.ts';
import { dayTarget } from './availability.ts';
import type { Fresh } from './fresh.ts';
import { dayOf } from './interval.ts';
import { notify, writeNotice } from './notices.ts';
import { oweRelease, releaseStep } from './owed-releases.ts';
import { runSaga } from './saga.ts';
import type { Shop } from './shop.ts';

/**
 * Cancels an appointment, whether the calendar answers or not. The first step decides, so there is nothing to undo: what follows
 * is done now or by the recovery. Until the calendar has forgotten the event, the time is not offered to others.
 *
 * @throws Problem; then the appointment is as it was
 */
export async function cancel(shop: Shop, id: string, fresh: Fresh): Promise<Appointment> {
  const { claims, sql, transact } = shop;
  const appointment = await findAppointment(sql, id);
  const { claims: found } = appointment;
  const saga = randomBytes(4).toString('hex');
  for (const { staffId, start } of found) fresh.cover(dayTarget(staffId, dayOf(start)));

  await runSaga(
    `cancel ${id}`,
    [
      {
        name: 'cancel',
        run: () =>
          transact(async (tx) => {
            await advanceOrRefuse(tx, id, { from: 'booked', to: 'cancelled', saga });
            for (const { eventId, staffId, start } of found) {
              await claims.delete({ tx, changes: tx }, eventId);
              await oweRelease(tx, eventId, { staffId, day: dayOf(start) });
            }
            await writeNotice(tx, { appointmentId: id, message: 'Your appointment is cancelled.' });
          }).catch(async (error: unknown) => {
            // The answer to a COMMIT may be lost.
            const now = await settled(sql, id);
            if (now?.state !== 'cancelled' || now.saga !== saga) throw error;
          }),
      },
      ...found.map(({ eventId }) => releaseStep(shop, eventId)),
      notify(shop, id),
      fresh,
    ],
    shop.tell,
  );
  return { ...appointment, state: 'cancelled', saga, claims: [] };
}
