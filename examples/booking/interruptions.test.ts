import { createCache, type Logger, memoryLog } from 'tidemark';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AvailabilityQuery, availabilityQuery } from './availability.ts';
import { book } from './book.ts';
import { Calendar } from './calendar.ts';
import { CalendarServer } from './calendar-server.ts';
import { cancel } from './cancel.ts';
import { Claims } from './claims.ts';
import { type Database, openDatabase } from './database.ts';
import { Fresh } from './fresh.ts';
import { recover } from './recovery.ts';
import { reschedule } from './reschedule.ts';
import type { Shop } from './shop.ts';
import { createTransact } from './transact.ts';

// Every saga is interrupted once at every one of its dealings with the database and the calendar, in every way there is. What
// is left must be whole after a recovery, and no cache may show anything else than a load would.

/** `refused`: it did not happen. `lost`: it happened, and nobody was told. `died`: it happened, and nothing of this process after it. */
type Interruption = 'refused' | 'lost' | 'died';

/** Counts dealings with the outside, and interrupts one. */
class Outside {
  dealings = 0;
  #dead = false;
  readonly #at: number;
  readonly #how: Interruption | undefined;

  constructor(at = 0, how?: Interruption) {
    this.#at = at;
    this.#how = how;
  }

  async deal<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dead) throw new Error('this process is dead');
    const how = ++this.dealings === this.#at ? this.#how : undefined;
    if (how === 'refused') throw new Error(how);
    const value = await work();
    if (how === 'died') this.#dead = true;
    if (how !== undefined) throw new Error(how);
    return value;
  }

  /** The same object, each of whose methods is a dealing. */
  around<T extends object>(target: T): T {
    const deal = this.deal.bind(this);
    return new Proxy(target, {
      get(it, name) {
        const found: unknown = Reflect.get(it, name, it);
        return typeof found === 'function'
          ? (...args: unknown[]) => deal(() => Promise.resolve(Reflect.apply(found, it, args) as unknown))
          : found;
      },
    });
  }
}

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const calendarServer = new CalendarServer();
const log = memoryLog();
const caches = [createCache({ name: 'booking', log }), createCache({ name: 'booking', log })] as const;
let database: Database;
let calendar: Calendar;
/** As another process sees it. */
let availability: AvailabilityQuery;

beforeAll(async () => {
  database = await openDatabase();
  calendar = new Calendar({ url: await calendarServer.listen(), deadline: 10_000 });
  availability = availabilityQuery(caches[1], database, calendar);
}, 60_000);
afterAll(async () => {
  for (const cache of caches) await cache.close();
  await calendarServer.close();
  await database.close();
});

function shopOf(cache: (typeof caches)[number], outside: Outside): Shop {
  const transact = createTransact(cache, database);
  return {
    cache,
    sql: outside.around(database),
    transact: (work) => outside.deal(() => transact(work)),
    claims: new Claims(),
    calendar: outside.around(calendar),
    mailbox: { send: () => outside.deal(() => Promise.resolve()) },
    logger: silent,
    tell: () => {},
  };
}

let week = Date.parse('2026-03-02');
/** A Monday and the Tuesday after it. */
function newDays(): [string, string] {
  week += 7 * 86_400_000;
  return [week, week + 86_400_000].map((it) => new Date(it).toISOString().slice(0, 10)) as [string, string];
}

const fresh = (): Fresh => new Fresh(caches[0], 'test', silent);
const request = (day: string) => ({ staffId: 'S1', serviceId: 'cut', customerId: 'C1', start: `${day}T10:00:00.000Z` });

/** A saga to interrupt, on days of its own. */
interface Play {
  readonly days: readonly [string, string];
  run(shop: Shop): Promise<unknown>;
  /** The days of the appointment's claims, had it not begun, and had it ended. */
  readonly before: readonly string[];
  readonly after: readonly string[];
}

async function booked(day: string): Promise<string> {
  return (await book(shopOf(caches[0], new Outside()), request(day), fresh())).id;
}

const plays: Record<string, () => Promise<Play>> = {
  book: async () => {
    const days = newDays();
    return { days, run: (shop) => book(shop, request(days[0]), fresh()), before: [], after: [days[0]] };
  },
  reschedule: async () => {
    const days = newDays();
    const id = await booked(days[0]);
    const start = request(days[1]).start;
    return { days, run: (shop) => reschedule(shop, id, start, fresh()), before: [days[0]], after: [days[1]] };
  },
  cancel: async () => {
    const days = newDays();
    const id = await booked(days[0]);
    return { days, run: (shop) => cancel(shop, id, fresh()), before: [days[0]], after: [] };
  },
};

/** What a day looks like to everybody: in the database, in the calendar, from the cache and from a load. */
async function look(days: readonly string[]): Promise<{ claimed: string[]; states: string[] }> {
  const rows = await database.query<{ eventId: string; day: string; state: string }>(
    `select event_id as "eventId", lower(during)::date::text as day, state
      from booking.claim join booking.appointment on id = appointment_id where lower(during)::date::text = any($1)`,
    [days],
  );
  const events = calendarServer.events('noor@example.com').filter((it) => it.state !== 'held');
  const ours = new Set(rows.map((it) => it.eventId));
  // What is claimed is in the calendar, and nothing else of all that was ever put there.
  expect(rows.every((it) => events.some((event) => event.eventId === it.eventId))).toBe(true);
  const known = await database.query<{ eventId: string }>('select event_id as "eventId" from booking.claim');
  expect(events.filter((it) => !known.some((claim) => claim.eventId === it.eventId))).toEqual([]);
  expect(ours.size).toBe(rows.length);
  // A hold whose saga died before it wrote anything is forgotten by the calendar, and no cache hears of it.
  const held = calendarServer.events('noor@example.com').filter((it) => it.state === 'held');
  const shown = async (query: AvailabilityQuery): Promise<unknown> =>
    Promise.all(days.map(async (day) => (await query('S1', day))?.free));
  expect(held.length > 0 || (await shown(availability))).toEqual(
    held.length > 0 || (await shown(availability.with({ enabled: false }))),
  );
  for (const { eventId } of held) await calendar.release({ calendarId: 'noor@example.com', eventId });
  return { claimed: rows.map((it) => it.day), states: rows.map((it) => it.state) };
}

it.each(Object.entries(plays))(
  '%s is whole, wherever it is interrupted',
  async (_, make) => {
    const whole = new Outside();
    const play = await make();
    await play.run(shopOf(caches[0], whole));
    expect(await look(play.days)).toEqual({ claimed: play.after, states: play.after.map(() => 'booked') });
    expect(whole.dealings).toBeGreaterThan(5);

    for (let at = 1; at <= whole.dealings; at++)
      for (const how of ['refused', 'lost', 'died'] as const) {
        const { days, before, after, ...it } = await make();
        for (const day of days) await availability('S1', day);
        const outcome = await it.run(shopOf(caches[0], new Outside(at, how))).then(
          () => 'done',
          () => 'failed',
        );
        // Somebody looks, before it is recovered.
        for (const day of days) await availability('S1', day);
        await recover(shopOf(caches[1], new Outside()), 0);
        const { claimed, states } = await look(days);
        // Whoever died may have got there without anybody hearing of it.
        const allowed = [
          ...(outcome === 'done' || how === 'died' ? [after] : []),
          ...(outcome === 'failed' ? [before] : []),
        ];
        expect({ at, how, outcome, whole: states.every((state) => state === 'booked'), claimed }).toEqual({
          ...{ at, how, outcome, whole: true },
          claimed: allowed.find((days) => days.join() === claimed.join()) ?? allowed[0],
        });
      }
  },
  120_000,
);
