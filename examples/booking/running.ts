import type { AddressInfo } from 'node:net';
import { memoryLog } from 'tidemark';
import { createRelay } from 'tidemark/postgres';
import { type RedisParts, redis } from 'tidemark/redis';
import { CalendarServer } from './calendar-server.ts';
import { type Database, openDatabase } from './database.ts';
import type { Mailbox } from './mailbox.ts';
import type { SagaListener } from './saga.ts';
import { createService, type Service } from './service.ts';

export interface Settings {
  /** Of a Postgres; default: a PGlite in this process. */
  readonly databaseUrl: string | undefined;
  /** Of the Redis that several of these processes share; default: this process's memory. */
  readonly redisUrl: string | undefined;
  /** Of the calendar API; default: one in this process. */
  readonly calendarUrl: string | undefined;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** For one request to the calendar, in ms. */
  readonly deadline: number;
  /** How long a saga has to have been silent to be thought dead, in ms. */
  readonly abandonedAfter: number;
  readonly mailbox: Mailbox;
  readonly tell: SagaListener;
  readonly stream?: { write(line: string): void };
}

/** A service that listens, with all that it needs. */
export interface Running {
  readonly url: string;
  readonly database: Database;
  readonly service: Service;
  /** The calendar in this process; `undefined` where it is elsewhere. */
  readonly calendar: CalendarServer | undefined;
  readonly calendarUrl: string;
  stop(): Promise<void>;
}

/** How often what sagas have left behind is looked for, in ms: or as often as that can make a difference. */
const RECOVERY = 10_000;

/** Starts the service, its relay and its recovery. Where one of its parts cannot be started, the others are ended. */
export async function start(settings: Settings): Promise<Running> {
  const ends: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await begin(settings, ends)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function begin(settings: Settings, ends: (() => Promise<unknown>)[]): Promise<Omit<Running, 'stop'>> {
  const { host, port, deadline, tell } = settings;
  const database = await openDatabase(settings.databaseUrl);
  ends.push(() => database.close());
  const calendar = settings.calendarUrl === undefined ? new CalendarServer() : undefined;
  const calendarUrl = settings.calendarUrl ?? (await calendar?.listen()) ?? '';
  if (calendar !== undefined) ends.push(() => calendar.close());
  const parts = partsOf(settings.redisUrl);

  // Finishes what writers that have died could not tell the log. Of several processes one does it at a time.
  const relay = createRelay({ name: 'booking', ...parts(), database: database.driver.db });
  relay.on((event) => {
    if (event.type === 'appended') tell('relay', `appended ${event.records} of the outbox`);
  });
  relay.start();
  ends.push(() => relay.stop());

  const service = createService({ ...settings, database, calendar: { url: calendarUrl, deadline }, parts: parts() });
  ends.push(() => service.app.close());
  ends.push(recovering(service, settings));
  await service.app.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is taken. Choose another one, for example PORT=3003.`, { cause: error });
  });
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `http://${name}:${(service.app.server.address() as AddressInfo).port}`;
  calendar?.subscribe(`${url}/calendar-changes`);
  return { url, database, service, calendar, calendarUrl };
}

/** The parts that cache and relay share: over Redis each has connections of its own, in memory they have the same log. */
function partsOf(redisUrl: string | undefined): () => RedisParts | { readonly log: ReturnType<typeof memoryLog> } {
  if (redisUrl !== undefined) return () => redis({ url: redisUrl });
  const log = memoryLog();
  return () => ({ log });
}

/** Looks for what was left behind, now and then; returns what ends that. */
function recovering(service: Service, { abandonedAfter, tell }: Settings): () => Promise<unknown> {
  let last: Promise<unknown> = Promise.resolve();
  const look = (): void => {
    last = last
      .then(() => service.recover(abandonedAfter))
      .catch((error: Error) => tell('recovery', `to be tried again: ${error.message}`));
  };
  look();
  const timer = setInterval(look, Math.min(RECOVERY, abandonedAfter));
  return () => {
    clearInterval(timer);
    return last;
  };
}
