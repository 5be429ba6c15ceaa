import type { Mailbox, Notice } from './mailbox.ts';
import type { Step } from './saga.ts';
import type { Shop } from './shop.ts';
import type { Transact, Transaction } from './transact.ts';

/** Writes a notice with the change that it tells of: sent by {@link sendNotices}, if the change is committed. */
export async function writeNotice(tx: Transaction, { appointmentId, message }: Notice): Promise<void> {
  await tx.query('insert into booking.notice (appointment_id, message) values ($1, $2)', [appointmentId, message]);
}

/** The step that sends an appointment's notices. It never fails: what cannot be sent now is sent by the recovery. */
export function notify({ transact, mailbox, tell }: Shop, appointmentId: string): Step {
  const run = (): Promise<unknown> =>
    sendNotices(transact, mailbox, { appointmentId }).catch((error: Error) =>
      tell('mailbox', `the notice of ${appointmentId} is to be sent later: ${error.message}`),
    );
  return { name: 'notify', run };
}

/**
 * Sends what has not been sent: of one appointment, or all that has waited for so many ms. A notice is sent at least once; a crash
 * after sending repeats it.
 *
 * @returns how many were sent
 * @throws what the mailbox throws
 */
export async function sendNotices(
  transact: Transact,
  mailbox: Mailbox,
  which: { readonly appointmentId: string } | { readonly olderThan: number },
): Promise<number> {
  const [condition, value] =
    'appointmentId' in which
      ? ['appointment_id = $1', which.appointmentId]
      : ["since < clock_timestamp() - $1 * interval '1 ms'", which.olderThan];
  for (let sent = 0; ; sent++) {
    const { value: any } = await transact(async (tx) => {
      const [notice] = await tx.query<Notice & { id: string }>(
        `select id::text, appointment_id as "appointmentId", message from booking.notice
          where sent_at is null and ${condition} order by notice.id limit 1 for update skip locked`,
        [value],
      );
      if (notice === undefined) return false;
      await mailbox.send({ appointmentId: notice.appointmentId, message: notice.message });
      await tx.query('update booking.notice set sent_at = clock_timestamp() where id = $1', [notice.id]);
      return true;
    });
    if (!any) return sent;
  }
}
