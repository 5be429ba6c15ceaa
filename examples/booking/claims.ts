import { createTouches, Repository, type Work } from 'tidemark/postgres';
import { dayTarget } from './availability.ts';
import { dayOf, type Interval } from './interval.ts';
import type { Transaction } from './transact.ts';

/** An appointment has this time of this person. */
export interface Claim extends Interval {
  /** The event in the external calendar. */
  readonly eventId: string;
  readonly appointmentId: string;
  readonly staffId: string;
}

interface Entities {
  claim: Claim;
}

/** The one place that knows what a claim makes stale, as it was and as it is. */
const touches = createTouches<Entities>({ claim: ({ staffId, start }) => dayTarget(staffId, dayOf(start)) });

interface Row {
  event_id: string;
  appointment_id: string;
  staff_id: string;
  start: Date;
  end: Date;
}

const columns = 'event_id, appointment_id, staff_id, lower(during) as start, upper(during) as "end"';

/** Claims in the database. Where two overlap, the database refuses the later one, and `Transact` says so. */
export class Claims extends Repository<Entities, 'claim', Transaction, string> {
  constructor() {
    super(touches, 'claim');
  }

  protected async find({ tx }: Work<Transaction>, eventId: string): Promise<Claim | undefined> {
    const rows = await tx.query<Row>(`select ${columns} from booking.claim where event_id = $1 for update`, [eventId]);
    return rows.map(claimOf)[0];
  }

  protected async write({ tx }: Work<Transaction>, claim: Claim): Promise<Claim> {
    const { eventId, appointmentId, staffId, start, end } = claim;
    await tx.query('insert into booking.claim values ($1, $2, $3, tstzrange($4, $5))', [
      ...[eventId, appointmentId, staffId, start, end],
    ]);
    return claim;
  }

  protected async remove({ tx }: Work<Transaction>, eventId: string): Promise<void> {
    await tx.query('delete from booking.claim where event_id = $1', [eventId]);
  }

  protected idOf({ eventId }: Claim): string {
    return eventId;
  }
}

/** The claims of an appointment: two while it is moved, none when it is cancelled. */
export async function claimsOf({ query }: Pick<Transaction, 'query'>, appointmentId: string): Promise<Claim[]> {
  const rows = await query<Row>(`select ${columns} from booking.claim where appointment_id = $1`, [appointmentId]);
  return rows.map(claimOf);
}

function claimOf(row: Row): Claim {
  return {
    eventId: row.event_id,
    appointmentId: row.appointment_id,
    staffId: row.staff_id,
    start: row.start.toISOString(),
    end: row.end.toISOString(),
  };
}
