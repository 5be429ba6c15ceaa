import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Provenance, ReadOptions } from 'tidemark';
import { findAppointment } from './appointments.ts';
import { type AvailabilityQuery, dayTarget } from './availability.ts';
import { type BookingRequest, book } from './book.ts';
import { cancel } from './cancel.ts';
import type { Catalogue } from './catalogue.ts';
import { Fresh } from './fresh.ts';
import { startsIn } from './interval.ts';
import { Problem } from './problem.ts';
import { reschedule } from './reschedule.ts';
import type { Shop } from './shop.ts';

/** The header that an answer to a write carries, refusals included: sent along with later requests, it shows that write. */
export const TOKEN = 'x-tidemark-token';

const text = { type: 'string', minLength: 1, maxLength: 100 };
const day = { type: 'string', pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' };
const body = (...names: string[]): object => ({
  body: {
    type: 'object',
    required: names,
    additionalProperties: false,
    properties: Object.fromEntries(names.map((name) => [name, name === 'day' ? day : text])),
  },
});
const asked = {
  querystring: { type: 'object', required: ['day'], properties: { day, service: text } },
};

interface Id {
  readonly Params: { readonly id: string };
}

export function routes(
  app: FastifyInstance,
  shop: Shop,
  { services, staff }: Catalogue,
  availability: AvailabilityQuery,
): void {
  app.get('/services', async ({ headers }) => answer(await services.with(readOptions(headers)).read()));
  app.get('/staff', async ({ headers }) => answer(await staff.with(readOptions(headers)).read()));

  app.get<Id & { Querystring: { day: string; service?: string } }>(
    '/staff/:id/availability',
    { schema: asked },
    async ({ headers, params, query }) => {
      const found = await availability.with(readOptions(headers)).read(params.id, realDay(query.day));
      if (found.value === null) throw new Problem(404, 'not-found', `There is no ${params.id.slice(0, 50)} here.`);
      const { free, calendar } = found.value;
      if (query.service === undefined) return answer({ ...found, value: { free, calendar } });
      const service = (await services()).find((it) => it.id === query.service);
      if (service === undefined) throw new Problem(404, 'not-found', `There is no service ${query.service}.`);
      return answer({ ...found, value: { free, starts: startsIn(free, service.minutes), calendar } });
    },
  );

  app.get<Id>('/appointments/:id', async ({ params }) => ({ data: await findAppointment(shop.sql, params.id) }));

  app.post<{ Body: BookingRequest }>(
    '/appointments',
    { schema: body('staffId', 'serviceId', 'customerId', 'start') },
    async (request, reply) => {
      reply.code(201);
      return write(reply, shop, 'appointment.booked', (fresh) => book(shop, request.body, fresh));
    },
  );
  app.post<Id & { Body: { start: string } }>(
    '/appointments/:id/reschedule',
    { schema: body('start') },
    (request, reply) =>
      write(reply, shop, 'appointment.moved', (fresh) =>
        reschedule(shop, request.params.id, request.body.start, fresh),
      ),
  );
  app.delete<Id>('/appointments/:id', (request, reply) =>
    write(reply, shop, 'appointment.cancelled', (fresh) => cancel(shop, request.params.id, fresh)),
  );

  // The calendar tells of what its owner has changed there. What is lost on the way is found when the ttl has passed.
  app.post<{ Body: { calendarId: string; day: string } }>(
    '/calendar-changes',
    { schema: body('calendarId', 'day') },
    async (request, reply) => {
      const { calendarId, day } = request.body;
      const changed = (await staff()).find((it) => it.calendarId === calendarId);
      if (changed !== undefined)
        await shop.cache.invalidate([dayTarget(changed.id, day)], { cause: { event: 'calendar.changed' } });
      return reply.code(204).send();
    },
  );
}

/** Nothing older than what the client has written, or was refused for. */
function readOptions(headers: FastifyRequest['headers']): ReadOptions {
  const token = headers[TOKEN];
  return token === undefined ? {} : { atLeast: String(token) };
}

/** A read, with where it came from. `age` is in ms; `stale` is true where the database did not answer. */
function answer<T>({ value, from, stale, age }: Provenance<T>): object {
  return { data: value, from, stale, age: Math.round(age) };
}

async function write<T>(
  reply: FastifyReply,
  { cache, logger }: Shop,
  event: string,
  saga: (fresh: Fresh) => Promise<T>,
): Promise<object> {
  const fresh = new Fresh(cache, event, logger);
  try {
    return { data: await saga(fresh), invalidation: fresh.receipt?.status };
  } finally {
    if (fresh.receipt !== undefined) reply.header(TOKEN, fresh.receipt.token);
  }
}

/** A day that the pattern lets through, and no calendar has, is refused here: 2026-02-30. */
function realDay(text: string): string {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(text)) return text;
  throw new Problem(400, 'bad-request', `${text} is no day.`, { cure: 'Send for example ?day=2026-03-02.' });
}
