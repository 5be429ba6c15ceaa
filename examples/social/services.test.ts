import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type Cache, createCache, type InvalidationLog, memoryLog, memoryStore, type PartContext, tag } from 'tidemark';
import { Gate, memoryLease, waitUntil } from 'tidemark/testing';
import { afterEach, expect, it } from 'vitest';
import { createContentService } from './content-service.ts';
import { createFeedService, type FeedLine } from './feed-service.ts';
import { createGateway } from './gateway.ts';
import { POSITION, readOptions } from './position.ts';
import { ownProfiles, type Profile, remoteProfiles } from './profiles.ts';
import { Remote } from './remote.ts';
import { Repository } from './repository.ts';
import { answer, createService, positionIn } from './service.ts';
import { createUserService } from './user-service.ts';

// The services in one process, over parts in memory: what the position does shows in processes that are behind.

const opened: { close(): PromiseLike<unknown> }[] = [];
afterEach(async () => {
  for (const it of opened.splice(0).toReversed()) await it.close();
});

/** A log that is followed as one on a server is, and whose news can be held up. */
class SlowLog implements InvalidationLog {
  readonly #log: InvalidationLog;
  #held: Gate | undefined;

  constructor(log: InvalidationLog) {
    this.#log = log;
  }

  hold(): void {
    this.#held = new Gate();
  }

  append(...args: Parameters<InvalidationLog['append']>): ReturnType<InvalidationLog['append']> {
    return this.#log.append(...args);
  }

  async read(...args: Parameters<InvalidationLog['read']>): ReturnType<InvalidationLog['read']> {
    const reading = await this.#log.read(...args);
    await this.#held?.promise;
    return reading;
  }

  snapshot(): ReturnType<InvalidationLog['snapshot']> {
    return this.#log.snapshot();
  }

  async close(): Promise<void> {
    this.#held?.open();
    await this.#log.close();
  }
}

/** Caches over one log, store and lease, each as if it were in a process of its own. */
class Processes {
  readonly #shared = { log: memoryLog(), store: memoryStore(), lease: memoryLease() };

  open(parts: { log?: (context: PartContext) => InvalidationLog } = {}): Cache {
    const cache = createCache({ name: 'social', ...this.#shared, ...parts });
    opened.push(cache);
    return cache;
  }

  /** One whose news can be held up: it goes on serving what it has, for as long as maxLag. */
  async openSlow(): Promise<{ cache: Cache; hold(): void }> {
    let slow: SlowLog | undefined;
    const cache = this.open({ log: (context) => (slow = new SlowLog(this.#shared.log(context))) });
    await waitUntil(() => cache.status().attached);
    return { cache, hold: () => slow?.hold() };
  }
}

async function listen(app: FastifyInstance): Promise<string> {
  opened.push(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

interface Backend {
  readonly user: FastifyInstance;
  readonly content: FastifyInstance;
  readonly feed: FastifyInstance;
  readonly gateway: FastifyInstance;
}

async function backend(processes = new Processes(), feedCache = processes.open()): Promise<Backend> {
  const user = createUserService(processes.open());
  const content = createContentService(processes.open());
  const urls = { user: await listen(user), content: await listen(content) };
  const feed = createFeedService(feedCache, urls);
  const gateway = createGateway(processes.open(), { ...urls, feed: await listen(feed) });
  await listen(gateway);
  return { user, content, feed, gateway };
}

const page = async (app: FastifyInstance, position?: string): Promise<{ data: FeedLine[]; from: string }> => {
  const headers = position === undefined ? {} : { [POSITION]: position };
  return (await app.inject({ url: '/feed/44', headers })).json();
};

const rename = (app: FastifyInstance, name: string) =>
  app.inject({ method: 'PATCH', url: '/users/42', payload: { name } });

it('shows a new name in feed and gateway, and leaves the posts cached', async () => {
  const processes = new Processes();
  const feedCache = processes.open();
  const { gateway } = await backend(processes, feedCache);
  expect((await page(gateway)).data.map((line) => line.author)).toEqual(['Grace', 'Ada']);
  expect((await page(gateway)).from).toBe('memory');

  const loads: string[] = [];
  feedCache.on((event) => void (event.type === 'loaded' && loads.push(event.key)));
  const renamed = await rename(gateway, 'Ada Lovelace');
  expect(renamed.json()).toMatchObject({ data: { name: 'Ada Lovelace' }, invalidation: 'applied' });

  const after = await page(gateway, renamed.headers[POSITION] as string);
  expect(after.data.map((line) => line.author)).toEqual(['Grace', 'Ada Lovelace']);
  expect(loads).toEqual(['copy:user:profile:42', 'feed:page:44:1']);
  expect((await gateway.inject('/users/42')).json()).toMatchObject({ data: { name: 'Ada Lovelace' } });
});

it('shows a new post, and whom a reader follows anew', async () => {
  const { gateway } = await backend();
  await page(gateway);
  const post = await gateway.inject({ method: 'POST', url: '/users/42/posts', payload: { text: 'Notes' } });
  expect((await page(gateway, post.headers[POSITION] as string)).data[0]).toEqual({ author: 'Ada', text: 'Notes' });

  await gateway.inject({ method: 'POST', url: '/users/44/posts', payload: { text: 'Considered harmful' } });
  expect((await page(gateway)).data.map((line) => line.author)).not.toContain('Edsger');
  const followed = await gateway.inject({ method: 'PUT', url: '/feed/44/follows/44' });
  expect((await page(gateway, followed.headers[POSITION] as string)).data[0]?.author).toBe('Edsger');
});

it('answers a reader with the position nothing older, by a feed that is behind', async () => {
  const processes = new Processes();
  const slow = await processes.openSlow();
  const { user, feed } = await backend(processes, slow.cache);
  await page(feed);
  await waitUntil(async () => (await page(feed)).from === 'memory');

  slow.hold();
  const { headers } = await rename(user, 'Ada Lovelace');
  // It cannot know yet, and may say the old name for as long as maxLag.
  expect((await page(feed)).data.map((line) => line.author)).toContain('Ada');
  expect((await page(feed, headers[POSITION] as string)).data.map((line) => line.author)).toContain('Ada Lovelace');
});

it('keeps no old answer of a service that is behind under a new mark', async () => {
  const processes = new Processes();
  const users = new Repository<Profile>({ 42: { id: '42', name: 'Ada' } });
  const slow = await processes.openSlow();
  const profiles = ownProfiles(slow.cache, users);
  const app = createService(slow.cache);
  app.get<{ Params: { id: string } }>('/users/:id', async (request, reply) => {
    const position = positionIn(request);
    await answer(reply, await profiles.with(readOptions(position)).read(request.params.id, position));
  });
  const asking = processes.open();
  const copies = remoteProfiles(asking, new Remote(await listen(app)));
  await profiles('42');
  slow.hold();

  await users.save('42', { id: '42', name: 'Ada Lovelace' });
  await asking.invalidate(tag('user:42'));

  expect(profiles.peek('42')?.name).toBe('Ada');
  expect((await copies('42'))?.name).toBe('Ada Lovelace');
});

it('goes to the sources for the position of a write that is queued', async () => {
  const { gateway } = await backend();
  await page(gateway);
  expect((await page(gateway, '1.queued')).from).toBe('loader');
  expect((await gateway.inject({ url: '/users/42', headers: { [POSITION]: 'source' } })).json()).toMatchObject({
    from: 'loader',
  });
});

it('refuses what is no position, and does not know who is not there', async () => {
  const { gateway } = await backend();
  const refused = await gateway.inject({ url: '/users/42', headers: { [POSITION]: 'yesterday' } });
  expect([refused.statusCode, refused.json<{ message: string }>().message]).toEqual([
    400,
    expect.stringContaining('is not a position token'),
  ]);
  expect((await gateway.inject('/users/99')).statusCode).toBe(404);
});
