import { Client } from './client.ts';
import type { Running } from './running.ts';
import type { Timeline } from './timeline.ts';

const [MONDAY, TUESDAY] = ['2031-03-03', '2031-03-04'] as const;
const at = (day: string, clock: string): string => `${day}T${clock}:00.000Z`;

/** How many want the same time. */
const CROWD = 12;

/** Plays the story. Throws where it does not go as the README tells it. */
export async function play({ url, calendar, service }: Running, timeline: Timeline): Promise<void> {
  const ada = new Client(url, timeline);
  const offers = async (client: Client, start: string): Promise<boolean> =>
    (await client.day('S1', start.slice(0, 10))).data.starts.includes(start);

  timeline.chapter('1. Ada looks at Monday, twice');
  await ada.day('S1', TUESDAY);
  check('the first look is a load', (await ada.day('S1', MONDAY)).from === 'loader');
  check('the second one comes from memory', (await ada.day('S1', MONDAY)).from === 'memory');

  timeline.chapter('2. She books ten o’clock');
  const { status, data } = await ada.book('S1', at(MONDAY, '10:00'), 'C1');
  check('she has an appointment', status === 201);
  check('ten o’clock is not offered any more', !(await offers(ada, at(MONDAY, '10:00'))));

  timeline.chapter(`3. ${CROWD} others want eleven o’clock, all at once`);
  const crowd = await timeline.quietly(() =>
    Promise.all(
      Array.from({ length: CROWD }, async (_, i) => {
        const client = new Client(url, timeline);
        return { client, ...(await client.book('S1', at(MONDAY, '11:00'), `C${i + 2}`)) };
      }),
    ),
  );
  const count = (status: number): number => crowd.filter((it) => it.status === status).length;
  timeline.tell('story', `${count(201)} has it, ${count(409)} were told that it is taken`);
  check('exactly one has it', count(201) === 1 && count(409) === CROWD - 1);
  const late = crowd.find((it) => it.status === 409);
  check(
    'who came too late is not offered it again',
    late !== undefined && !(await offers(late.client, at(MONDAY, '11:00'))),
  );

  timeline.chapter('4. Ada moves to Tuesday: both days change');
  check('she has moved', (await ada.move(data.id, at(TUESDAY, '10:00'))).status === 200);
  check('Monday at ten is offered again', await offers(ada, at(MONDAY, '10:00')));
  check('Tuesday at ten is not', !(await offers(ada, at(TUESDAY, '10:00'))));

  timeline.chapter('5. The calendar fails');
  calendar?.fail('error');
  timeline.tell('story', 'the calendar answers with errors from now on');
  check(
    'nobody can move to where the calendar has not agreed',
    (await ada.move(data.id, at(MONDAY, '15:00'))).status === 503,
  );
  const where = await ada.appointment(data.id);
  check(
    'she is where she was',
    where.state === 'booked' && where.claims.map((it) => it.start).join() === at(TUESDAY, '10:00'),
  );
  const day = await ada.day('S1', MONDAY);
  check('what the calendar has said last is shown, and said to be that', day.data.calendar.state === 'last-known');
  check('the time that she did not get is free', day.data.starts.includes(at(MONDAY, '15:00')));

  timeline.chapter('6. Ada cancels, and the calendar comes back');
  check('cancelling needs nobody’s consent', (await ada.cancel(data.id)).status === 200);
  calendar?.fail('none');
  timeline.tell('story', 'the calendar works again');
  const winner = crowd.find((it) => it.status === 201);
  check('who has eleven o’clock can give it back', (await winner?.client.cancel(winner.data.id))?.status === 200);
  const { releases } = await service.recover(0);
  timeline.tell('recovery', `${releases} times were released in the calendar`);
  const tuesday = await ada.day('S1', TUESDAY);
  check('Tuesday is as it was', tuesday.data.starts.length === 31 && tuesday.data.calendar.state === 'live');
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`The story goes otherwise than it should: ${what}, and that is not so.`);
}
