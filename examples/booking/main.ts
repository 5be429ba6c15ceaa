import { type Running, type Settings, start } from './running.ts';
import { play } from './story.ts';
import { Timeline } from './timeline.ts';

const {
  DATABASE_URL,
  REDIS_URL,
  CALENDAR_URL,
  // PGlite works in the same process, and may keep the calendar waiting that is there too.
  CALENDAR_DEADLINE = '5000',
  PORT = '3002',
  HOST = '127.0.0.1',
  ABANDONED_AFTER = '30000',
} = process.env;
const serving = process.argv.includes('--serve');
const write = (line: string): void => void process.stdout.write(`${line}\n`);

/** Asked to stop. */
class Interruption extends Error {
  override readonly name = 'Interruption';

  constructor(signal: string) {
    super(`Ended by ${signal}.`);
  }
}

const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Interruption(signal)));
});
interrupted.catch(() => {});

try {
  await main();
} catch (error) {
  if (!(error instanceof Interruption && serving)) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function main(): Promise<void> {
  const timeline = new Timeline(write);
  const running = await start(settings(timeline));
  try {
    write(`Database: ${running.database.described}`);
    if (serving) welcome(running);
    await Promise.race([serving ? new Promise(() => {}) : play(running, timeline), interrupted]);
    write('\nAll as expected.');
  } finally {
    await running.stop();
  }
}

function settings(timeline: Timeline): Settings {
  const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
  const databaseUrl = given(DATABASE_URL);
  if (databaseUrl !== undefined && !/^postgres(ql)?:\/\//.test(databaseUrl))
    throw new Error('DATABASE_URL is no address of a Postgres, such as postgresql://user@localhost/name.');
  return {
    databaseUrl,
    redisUrl: given(REDIS_URL),
    // The story breaks the calendar, so it has one of its own.
    calendarUrl: serving ? given(CALENDAR_URL) : undefined,
    host: HOST,
    port: serving ? number('PORT', PORT, 65_535) : 0,
    deadline: number('CALENDAR_DEADLINE', CALENDAR_DEADLINE, 60_000),
    abandonedAfter: number('ABANDONED_AFTER', ABANDONED_AFTER, 86_400_000),
    mailbox: { send: async ({ appointmentId, message }) => timeline.tell('mailbox', `${appointmentId}: ${message}`) },
    tell: (saga, happening) => {
      const [where = '', ...which] = saga.split(' ');
      timeline.tell(where, [...which, happening].join(' '));
    },
    ...(serving ? { stream: process.stderr } : {}),
  };
}

function welcome({ url, calendarUrl }: Running): void {
  write(`Booking:  ${url}
Calendar: ${calendarUrl}

curl -s '${url}/staff/S1/availability?day=2031-03-03&service=cut'
curl -s ${url}/appointments -H 'content-type: application/json' \\
  -d '{"staffId":"S1","serviceId":"cut","customerId":"C1","start":"2031-03-03T10:00:00Z"}'
curl -s -X PUT ${calendarUrl}/failure -d hang    # or slow, error, garbage, lost, none
`);
}

function number(name: string, text: string, most: number): number {
  if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
  throw new Error(`${name} must be a number from 0 to ${most}, not "${text.slice(0, 20)}".`);
}
