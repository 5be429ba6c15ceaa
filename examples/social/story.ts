import { setTimeout as wait } from 'node:timers/promises';
import type { Cable } from './cable.ts';
import { Client, type Response } from './client.ts';
import type { FeedLine } from './feed-service.ts';
import type { Fleet } from './fleet.ts';
import { now } from './happening.ts';
import type { Profile } from './profiles.ts';
import type { ServiceName } from './service-name.ts';
import type { Timeline } from './timeline.ts';

export interface Stage {
  readonly fleet: Fleet;
  readonly urls: Readonly<Record<ServiceName, string>>;
  /** Between the user service and Redis. */
  readonly cable: Cable;
  readonly timeline: Timeline;
  readonly write: (line: string) => void;
}

/** How long anything may take that is waited for, in ms. */
const PATIENCE = 10_000;

/** The default of `maxLag`, in ms: what another process may be behind at the worst. */
const MAX_LAG = 2_000;

const ROUNDS = 20;

/** Plays the story. Throws where it does not go as the README tells it. */
export async function play(stage: Stage): Promise<void> {
  const client = new Client(stage.urls.gateway, (it) => stage.timeline.tell(it));
  await chapter(stage, '1. Reader 44 opens the feed, twice', () => openFeed(client));
  await chapter(stage, '2. User 42 takes another name, and all services see it', () => renamed(client, stage));
  await chapter(stage, '3. A post: the pages that show its author are loaded again, nothing else', () =>
    posted(client),
  );
  await chapter(stage, '4. Twenty names, each read at once with the position of its write', () => ownWrites(client));
  await chapter(stage, '5. The user service is cut off from Redis, and goes on', () => cutOff(client, stage));
  await chapter(stage, '6. The connection is back', () => mended(client, stage));
}

async function openFeed(client: Client): Promise<void> {
  const first = await feed(client);
  check('the first page has to be loaded', first.from === 'loader');
  const second = await feed(client);
  check('the second page comes from memory', second.from === 'memory');
  const ada = await client.get<Profile>('/users/42');
  check('the gateway finds in the store what the feed has loaded', ada.from === 'store');
  await client.get('/users/42');
}

async function renamed(client: Client, { timeline }: Stage): Promise<void> {
  const { invalidation } = await client.rename('42', 'Ada Lovelace');
  const answered = now();
  // Without the position the others may be a message behind: until the record has reached them.
  await until('feed and gateway show the new name', async () => {
    const [page, profile] = [await feed(client), await client.get<Profile>('/users/42')];
    return shows(page, 'Ada Lovelace') && profile.data.name === 'Ada Lovelace';
  });
  const ms = now() - answered;
  timeline.tell({
    at: now(),
    where: 'story',
    what: `feed and gateway show the new name, ${ms.toFixed(0)} ms after the answer`,
  });
  // The promise is about what is in the log; a machine that is too busy may have queued it.
  check('that took no longer than maxLag', invalidation === 'queued' || ms < MAX_LAG);
}

async function posted(client: Client): Promise<void> {
  const { position } = await client.publish('42', 'Notes by the translator');
  const page = await feed(client, position);
  check('the new post is on top', page.data[0]?.text === 'Notes by the translator');
}

async function ownWrites(client: Client): Promise<string> {
  let seen = 0;
  for (let i = 1; i <= ROUNDS; i++) {
    const { position } = await client.rename('43', `Grace ${i}`);
    if (shows(await feed(client, position), `Grace ${i}`)) seen++;
  }
  check('every read with the position shows its write', seen === ROUNDS);
  return `${seen} of ${ROUNDS} reads showed the name that had just been written`;
}

async function cutOff(client: Client, { cable, timeline, urls }: Stage): Promise<void> {
  timeline.tell({ at: now(), where: 'story', what: 'cuts the cable between the user service and Redis' });
  cable.cut();
  const { invalidation, position } = await client.rename('42', 'Augusta Ada King');
  check('the write does not fail, and says that it waits', invalidation === 'queued');
  // Straight at the service that is cut off: its memory is not trusted, so it asks its source.
  const own = await new Client(urls.user, (it) => timeline.tell(it)).get<Profile>('/users/42');
  check('the user service serves from its source', own.from === 'loader' && own.data.name === 'Augusta Ada King');
  check('with the position, the feed shows the new name', shows(await feed(client, position), 'Augusta Ada King'));
  check('without it, everybody is still served', (await feed(client)).data.length > 0);
}

async function mended(client: Client, { cable, timeline }: Stage): Promise<void> {
  timeline.tell({ at: now(), where: 'story', what: 'mends the cable' });
  cable.mend();
  await until('the queued write reaches everybody', async () => {
    const [page, profile] = [await feed(client), await client.get<Profile>('/users/42')];
    return shows(page, 'Augusta Ada King') && profile.data.name === 'Augusta Ada King';
  });
}

/** @param tell plays it; what it returns is printed in place of all that happened */
async function chapter(
  { fleet, timeline, write }: Stage,
  title: string,
  tell: () => Promise<string | void>,
): Promise<void> {
  let summary: string | void;
  try {
    summary = await tell();
  } catch (error) {
    await fleet.toldAll();
    timeline.print(title);
    throw error;
  }
  await fleet.toldAll();
  if (summary === undefined) timeline.print(title);
  else timeline.summarize(title, summary);
  write(`${' '.repeat(14)}ok`);
}

function feed(client: Client, position?: string): Promise<Response<readonly FeedLine[]>> {
  return client.get<readonly FeedLine[]>('/feed/44', position);
}

function shows(page: Response<readonly FeedLine[]>, author: string): boolean {
  return page.data.some((line) => line.author === author);
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = now() + PATIENCE;
  while (!(await condition())) {
    if (now() > end) throw new Error(`The story waited ${PATIENCE} ms for this: ${what}.`);
    await wait(5);
  }
}

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`The story goes otherwise than it should: ${what}, and that is not so.`);
}
