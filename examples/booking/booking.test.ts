import { type CacheOptions, memoryLog } from 'tidemark';
import { FaultyLog, waitUntil } from 'tidemark/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CalendarServer, type Failure, type Operation } from './calendar-server.ts';
import { type Database, openDatabase } from './database.ts';
import type { Notice } from './mailbox.ts';
import { TOKEN } from './routes.ts';
import { createService, type Service } from './service.ts';

// On PGlite, which is started once; every test has days of its own.

let database: Database;
beforeAll(async () => {
  database = await openDatabase();
}, 60_000);
afterAll(() => database.close());

const DAY = 86_400_000;
let monday = Date.parse('2026-03-02');
/** A Monday that no test has had yet, and the Tuesday after it. */
function newDays(): [string, string] {
  monday += 7 * DAY;
  return [monday, monday + DAY].map((it) => new Date(it).toISOString().slice(0, 10)) as [string, string];
}

let calendar: CalendarServer;
let services: Service[];
let sent: Notice[];
let mailboxWorks: boolean;
let calendarUrl: string;
/** For one request to the calendar: short only where it is waited for in vain, since PGlite keeps this process busy. */
let deadline: number;
/** All over one log, as processes are. */
let log: ReturnType<typeof memoryLog>;

beforeEach(async () => {
  calendar = new CalendarServer();
  calendarUrl = await calendar.listen();
  services = [];
  deadline = 10_000;
  sent = [];
  mailboxWorks = true;
  log = memoryLog();
  await database.query('delete from booking.owed_release');
  await database.query('delete from booking.notice');
});
afterEach(async () => {
  for (const { app } of services) await app.close();
  await calendar.close();
});

function fail(kind: Failure, only?: Operation): void {
  calendar.fail(kind, only);
  deadline = kind === 'hang' ? 100 : 10_000;
}

function open(parts: Partial<CacheOptions> = { log }, url = calendarUrl): Service {
  const service = createService({
    database,
    calendar: {
      url,
      get deadline() {
        return deadline;
      },
    },
    mailbox: {
      send: async (notice) => {
        if (!mailboxWorks) throw new Error('the mailbox is full');
        sent.push(notice);
      },
    },
    parts,
  });
  services.push(service);
  return service;
}

interface Answer<T> {
  readonly status: number;
  readonly type: string;
  readonly token: string | undefined;
  readonly data: T;
  readonly from: string;
  readonly invalidation: string;
  readonly problem: { readonly type: string; readonly detail: string; readonly cure: string };
}

async function ask<T>(
  { app }: Service,
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  more: { payload?: object; token?: string | undefined } = {},
): Promise<Answer<T>> {
  const { payload, token } = more;
  const response = await app.inject({
    method,
    url,
    ...(payload === undefined ? {} : { payload }),
    headers: token === undefined ? {} : { [TOKEN]: token },
  });
  const body = response.body === '' ? {} : response.json<object>();
  return {
    ...(body as Answer<T>),
    problem: body as Answer<T>['problem'],
    status: response.statusCode,
    type: String(response.headers['content-type']),
    token: response.headers[TOKEN] as string | undefined,
  };
}

interface Appointment {
  readonly id: string;
  readonly state: string;
  readonly claims: readonly { readonly start: string; readonly eventId: string }[];
}

const book = (service: Service, start: string, more: object = {}): Promise<Answer<Appointment>> =>
  ask(service, 'POST', '/appointments', {
    payload: { staffId: 'S1', serviceId: 'cut', customerId: 'C1', start, ...more },
  });
const move = (service: Service, id: string, start: string): Promise<Answer<Appointment>> =>
  ask(service, 'POST', `/appointments/${id}/reschedule`, { payload: { start } });
const cancel = (service: Service, id: string): Promise<Answer<Appointment>> =>
  ask(service, 'DELETE', `/appointments/${id}`);
const appointment = async (service: Service, id: string): Promise<Appointment> =>
  (await ask<Appointment>(service, 'GET', `/appointments/${id}`)).data;

interface Availability {
  readonly starts: readonly string[];
  readonly free: readonly object[];
  readonly calendar: { readonly state: string; readonly asOf?: string };
}
const availability = (service: Service, day: string, token?: string): Promise<Answer<Availability>> =>
  ask(service, 'GET', `/staff/S1/availability?day=${day}&service=cut`, { token });
/** Whether somebody who asks now is offered this time. */
const isOffered = async (service: Service, start: string, token?: string): Promise<boolean> =>
  (await availability(service, start.slice(0, 10), token)).data.starts.includes(start);

const at = (day: string, clock: string): string => `${day}T${clock}:00.000Z`;
const events = (): string[] => calendar.events('noor@example.com').map((it) => `${it.eventId} ${it.state}`);

describe('a booking', () => {
  it('takes its time, moves with both days, and gives it back', async () => {
    const service = open();
    const [day, nextDay] = newDays();
    expect((await availability(service, day)).from).toBe('loader');
    expect((await availability(service, nextDay)).data.free).toEqual([
      { start: at(nextDay, '09:00'), end: at(nextDay, '17:00') },
    ]);
    expect((await availability(service, day)).from).toBe('memory');

    const booked = await book(service, at(day, '10:00'));
    expect(booked).toMatchObject({ status: 201, invalidation: 'applied', data: { state: 'booked' } });
    const { id } = booked.data;
    expect(events()).toEqual([`${booked.data.claims[0]?.eventId} confirmed`]);
    expect(await isOffered(service, at(day, '10:00'))).toBe(false);
    expect(await isOffered(service, at(day, '09:45'))).toBe(false);
    expect(await isOffered(service, at(day, '10:30'))).toBe(true);
    await availability(service, nextDay);

    // By a quarter of an hour: it may overlap what it had.
    expect((await move(service, id, at(day, '10:15'))).status).toBe(200);
    const moved = await move(service, id, at(nextDay, '12:00'));
    expect(moved.data.claims.map((it) => it.start)).toEqual([at(nextDay, '12:00')]);
    expect(events()).toEqual([`${moved.data.claims[0]?.eventId} confirmed`]);
    expect(await isOffered(service, at(day, '10:15'))).toBe(true);
    expect(await isOffered(service, at(nextDay, '12:00'))).toBe(false);

    expect((await cancel(service, id)).data).toMatchObject({ state: 'cancelled', claims: [] });
    expect(events()).toEqual([]);
    expect(await isOffered(service, at(nextDay, '12:00'))).toBe(true);
    expect(sent.map((it) => it.message)).toEqual([
      `Haircut with Noor: ${day}T10:00`,
      `Moved to ${day}T10:15`,
      `Moved to ${nextDay}T12:00`,
      'Your appointment is cancelled.',
    ]);
    expect(await move(service, id, at(day, '10:00'))).toMatchObject({
      status: 409,
      problem: { type: 'urn:booking:cancelled' },
    });
    expect(await cancel(service, id)).toMatchObject({ status: 409, problem: { type: 'urn:booking:cancelled' } });
  });

  it('is seen by another process that is asked with its token', async () => {
    const [one, other] = [open(), open()];
    const [day] = newDays();
    for (let hour = 9; hour < 17; hour++) {
      const start = at(day, `${String(hour).padStart(2, '0')}:00`);
      expect(await isOffered(other, start)).toBe(true);
      const { token } = await book(one, start);
      expect(await isOffered(other, start, token)).toBe(false);
    }
  });

  it('lists services and staff, from memory the second time', async () => {
    const service = open();
    expect(await ask(service, 'GET', '/services')).toMatchObject({
      from: 'loader',
      data: [{ id: 'colour' }, { id: 'cut', name: 'Haircut', minutes: 30 }, { id: 'shave' }],
    });
    expect(await ask(service, 'GET', '/services')).toMatchObject({ from: 'memory' });
    expect(await ask(service, 'GET', '/staff')).toMatchObject({ data: [{ id: 'S1', name: 'Noor' }, { id: 'S2' }] });
  });

  it.each<[string, object, number, string]>([
    ['an unknown customer', { customerId: 'C0' }, 404, 'not-found'],
    ['an unknown person', { staffId: 'S9' }, 404, 'not-found'],
    ['a time that is none', { start: 'tomorrow' }, 400, 'bad-request'],
    ['a time before anybody works', { start: '2026-03-02T08:45:00Z' }, 409, 'outside-working-hours'],
    ['a time that ends too late', { start: '2026-03-02T16:45:00Z' }, 409, 'outside-working-hours'],
    ['a Sunday', { start: '2026-03-01T10:00:00Z' }, 409, 'outside-working-hours'],
    ['a field too many', { price: 0 }, 400, 'bad-request'],
  ])('refuses %s, and leaves nothing', async (_, wrong, status, type) => {
    const service = open();
    const answer = await book(service, '2026-03-02T10:00:00Z', wrong);
    expect(answer).toMatchObject({ status, problem: { type: `urn:booking:${type}`, status } });
    expect(answer.type).toContain('application/problem+json');
    expect(events()).toEqual([]);
  });

  it('refuses what it cannot read', async () => {
    const service = open();
    expect((await ask(service, 'GET', '/staff/S1/availability?day=2026-02-30')).status).toBe(400);
    expect((await ask(service, 'GET', '/staff/S1/availability')).status).toBe(400);
    expect((await ask(service, 'GET', '/staff/S9/availability?day=2026-03-02')).status).toBe(404);
    expect((await ask(service, 'GET', '/staff/S1/availability?day=2026-03-02&service=x')).status).toBe(404);
    expect((await ask(service, 'GET', '/services', { token: 'yesterday' })).status).toBe(400);
    expect((await ask(service, 'GET', '/nowhere')).status).toBe(404);
    expect((await cancel(service, 'A0')).status).toBe(404);
  });
});

describe('fifty at once', () => {
  it('one gets the time, and nobody is offered it afterwards', async () => {
    const nodes = [open(), open()] as const;
    const [day] = newDays();
    const start = at(day, '10:00');
    for (const node of nodes) expect(await isOffered(node, start)).toBe(true);

    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const [own, other] = i % 2 === 0 ? nodes : [nodes[1], nodes[0]];
        const answer = await book(own, start, { customerId: `C${i + 1}` });
        // As its client would at once: the node that answered, and another one with the token.
        const offered = [await isOffered(own, start), await isOffered(other, start, answer.token)];
        return { answer, offered };
      }),
    );

    expect(answers.filter(({ answer }) => answer.status === 201)).toHaveLength(1);
    expect(answers.filter(({ answer }) => answer.problem.type === 'urn:booking:slot-taken')).toHaveLength(49);
    expect(answers.flatMap(({ offered }) => offered)).not.toContain(true);
    expect(events()).toHaveLength(1);
    const claims = await database.query('select 1 from booking.claim where lower(during) = $1', [start]);
    expect(claims).toHaveLength(1);
  }, 60_000);

  it('who comes too late is not offered the time again, even before the record of whoever was first', async () => {
    let slow: FaultyLog | undefined;
    const first = open({ log: (context) => (slow = new FaultyLog(log(context))) });
    const other = new CalendarServer();
    const second = open({ log }, await other.listen());
    const [day] = newDays();
    const start = at(day, '10:00');

    // The second one has begun, and waits for its calendar.
    other.fail('hang', 'hold');
    const late = book(second, start);
    await waitUntil(() => other.waiting === 1);
    expect(await isOffered(second, start)).toBe(true);
    // The first one's claim is committed, and its record does not get to the log.
    slow?.stall('append');
    const early = book(first, start);
    const claims = (): Promise<object[]> =>
      database.query('select 1 from booking.claim where lower(during) = $1', [start]);
    await waitUntil(async () => (await claims()).length === 1);
    expect(await isOffered(second, start)).toBe(true);

    other.fail('none');
    expect((await late).problem.type).toBe('urn:booking:slot-taken');
    expect(await isOffered(second, start)).toBe(false);
    slow?.mend('append');
    expect((await early).status).toBe(201);
    await other.close();
  });

  it('overlapping times too: no two that were booked overlap', async () => {
    const service = open();
    const [day] = newDays();
    const starts = ['09:00', '09:15', '09:30', '09:45', '10:00', '10:15'];
    const answers = await Promise.all(starts.map((it) => book(service, at(day, it))));
    const taken = starts.filter((_, i) => answers[i]?.status === 201).map((it) => Date.parse(at(day, it)));
    expect(taken.length).toBeGreaterThan(0);
    for (const a of taken) for (const b of taken) expect(a === b || Math.abs(a - b) >= 30 * 60_000).toBe(true);
    expect(events()).toHaveLength(taken.length);
  });

  it('two who change the same appointment: one does, the other is told to wait', async () => {
    const service = open();
    const [day] = newDays();
    const { data } = await book(service, at(day, '10:00'));
    const answers = await Promise.all([move(service, data.id, at(day, '12:00')), cancel(service, data.id)]);
    const [won, lost] = answers.toSorted((a, b) => a.status - b.status);
    expect([won?.status, lost?.status]).toEqual([200, 409]);
    expect(lost?.problem.type).toMatch(/urn:booking:(busy|cancelled)/);
    expect(['booked', 'cancelled']).toContain((await appointment(service, data.id)).state);
  });
});

describe('when the calendar fails', () => {
  const failures: Failure[] = ['error', 'hang', 'garbage', 'lost'];

  it.each(failures)(
    'by %s: what it said last is shown, and said to be old; the own appointments are true',
    async (kind) => {
      const service = open();
      const [day, unseen] = newDays();
      const { data } = await book(service, at(day, '10:00'));
      const before = await availability(service, day);
      expect(before.data.calendar.state).toBe('live');

      fail(kind);
      await database.query(`insert into booking.claim values ($1, $2, 'S1', tstzrange($3, $4))`, [
        `${data.id}.x`,
        data.id,
        at(day, '14:00'),
        at(day, '15:00'),
      ]);
      await ask(service, 'POST', '/calendar-changes', { payload: { calendarId: 'noor@example.com', day } });
      const during = await availability(service, day);
      expect(during).toMatchObject({
        status: 200,
        data: { calendar: { state: 'last-known', asOf: before.data.calendar.asOf } },
      });
      expect(during.data.starts).not.toContain(at(day, '10:00'));
      expect(during.data.starts).not.toContain(at(day, '14:00'));
      expect((await availability(service, unseen)).data).toMatchObject({
        calendar: { state: 'unknown' },
        free: [{ start: at(unseen, '09:00'), end: at(unseen, '17:00') }],
      });

      fail('none');
      await ask(service, 'POST', '/calendar-changes', { payload: { calendarId: 'noor@example.com', day } });
      expect((await availability(service, day)).data.calendar.state).toBe('live');
    },
  );

  it('slowly: it is waited for', async () => {
    const service = open();
    fail('slow', 'busy');
    expect((await availability(service, newDays()[0])).data.calendar.state).toBe('live');
  });

  it('what its owner puts there is heard of, and what somebody books in the way is refused', async () => {
    const service = open();
    const url = await service.app.listen({ host: '127.0.0.1', port: 0 });
    const [day] = newDays();
    expect(await isOffered(service, at(day, '15:00'))).toBe(true);
    const dentist = async (start: string): Promise<unknown> => {
      const body = JSON.stringify({ start, end: start.replace(':00:', ':30:'), state: 'private' });
      return (
        await fetch(`${calendarUrl}/calendars/noor@example.com/events/p${start}`, { method: 'PUT', body })
      ).text();
    };
    // Nobody tells of this one: it is offered until the ttl has passed, and refused when somebody wants it.
    await dentist(at(day, '15:00'));
    expect(await isOffered(service, at(day, '15:00'))).toBe(true);
    expect(await book(service, at(day, '15:00'))).toMatchObject({
      status: 409,
      problem: { type: 'urn:booking:slot-taken' },
    });
    expect(await isOffered(service, at(day, '15:00'))).toBe(false);

    calendar.subscribe(`${url}/calendar-changes`);
    await dentist(at(day, '16:00'));
    await waitUntil(async () => !(await isOffered(service, at(day, '16:00'))));
  });

  it.each(failures.flatMap((kind) => (['hold', 'confirm'] as const).map((only) => [only, kind] as const)))(
    'a booking whose %s fails by %s never was',
    async (only, kind) => {
      const service = open();
      const [day] = newDays();
      await availability(service, day);
      fail(kind, only);
      expect(await book(service, at(day, '10:00'))).toMatchObject({
        status: 503,
        problem: { type: 'urn:booking:calendar-unavailable' },
      });
      expect(events()).toEqual([]);
      expect(await isOffered(service, at(day, '10:00'))).toBe(true);
      expect(sent).toEqual([]);
      fail('none');
      expect((await book(service, at(day, '10:00'))).status).toBe(201);
    },
  );

  it.each(failures)(
    'altogether by %s: nothing is half done, and what is owed to the calendar is done later',
    async (kind) => {
      const service = open();
      const [day, nextDay] = newDays();
      const { data } = await book(service, at(day, '10:00'));
      const whole = [`${data.claims[0]?.eventId} confirmed`];

      fail(kind);
      for (const answer of [await book(service, at(day, '12:00')), await move(service, data.id, at(nextDay, '10:00'))])
        expect(answer.status).toBe(503);
      expect(await appointment(service, data.id)).toMatchObject({ state: 'booked', claims: data.claims });

      fail('none');
      expect((await service.recover(0)).releases).toBeGreaterThan(0);
      expect(events()).toEqual(whole);
      expect(await isOffered(service, at(day, '12:00'))).toBe(true);
      expect(await isOffered(service, at(nextDay, '10:00'))).toBe(true);
      expect(await isOffered(service, at(day, '10:00'))).toBe(false);
    },
  );

  it.each(failures)("altogether by %s: a cancellation needs nobody's consent, and is complete later", async (kind) => {
    const service = open();
    const [day] = newDays();
    const { data } = await book(service, at(day, '10:00'));
    await availability(service, day);
    fail(kind);
    expect((await cancel(service, data.id)).data.state).toBe('cancelled');
    expect(sent.at(-1)?.message).toBe('Your appointment is cancelled.');
    // The calendar says so still.
    expect(await isOffered(service, at(day, '10:00'))).toBe(false);

    fail('none');
    await service.recover(0);
    expect(events()).toEqual([]);
    expect(await isOffered(service, at(day, '10:00'))).toBe(true);
  });

  it.each<[Operation, Failure]>([
    ['confirm', 'error'],
    ['confirm', 'lost'],
  ])('an appointment whose move fails at %s by %s stays where it was', async (only, kind) => {
    const service = open();
    const [day, nextDay] = newDays();
    const { data } = await book(service, at(day, '10:00'));
    fail(kind, only);
    expect((await move(service, data.id, at(nextDay, '10:00'))).status).toBe(503);
    expect(await appointment(service, data.id)).toMatchObject({ state: 'booked', claims: data.claims });
    expect(events()).toEqual([`${data.claims[0]?.eventId} confirmed`]);
    expect(await isOffered(service, at(nextDay, '10:00'))).toBe(true);
  });

  it('an appointment that has moved has moved, whether the calendar forgets the old time now or later', async () => {
    const service = open();
    const [day, nextDay] = newDays();
    const { data } = await book(service, at(day, '10:00'));
    fail('error', 'release');
    expect((await move(service, data.id, at(nextDay, '10:00'))).status).toBe(200);
    expect(events()).toHaveLength(2);
    expect(await isOffered(service, at(day, '10:00'))).toBe(false);
    await expect(service.recover(0)).rejects.toThrow('The calendar of this person cannot be asked.');

    fail('none');
    expect(await service.recover(0)).toEqual({ appointments: 0, releases: 1, notices: 0 });
    expect(events()).toHaveLength(1);
    expect(await isOffered(service, at(day, '10:00'))).toBe(true);
  });
});

it('a mailbox that fails undoes nothing: the notice is sent later', async () => {
  const service = open();
  const [day] = newDays();
  mailboxWorks = false;
  expect((await book(service, at(day, '10:00'))).status).toBe(201);
  await expect(service.recover(0)).rejects.toThrow('the mailbox is full');
  mailboxWorks = true;
  expect(await service.recover(0)).toEqual({ appointments: 0, releases: 0, notices: 1 });
  expect(sent.map((it) => it.message)).toEqual([`Haircut with Noor: ${day}T10:00`]);
});

it('a log that fails undoes nothing: the answer says that the invalidation is queued', async () => {
  const broken = { append: () => Promise.reject(new Error('the log is down')) };
  const service = createService({
    database,
    calendar: { url: calendarUrl, deadline: 10_000 },
    mailbox: { send: async () => undefined },
    parts: { log: (context) => Object.assign(memoryLog()(context), broken) },
  });
  services.push(service);
  const [day] = newDays();
  expect(await isOffered(service, at(day, '10:00'))).toBe(true);
  expect(await book(service, at(day, '10:00'))).toMatchObject({ status: 201, invalidation: 'queued' });
  expect(await isOffered(service, at(day, '10:00'))).toBe(false);
});
