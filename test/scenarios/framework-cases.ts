import { Agent, request } from 'node:http';
import { type Cache, SESSION_HEADER } from 'tidemark';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HeldBack, heldBack } from '../servers/held-back.ts';
import { Rows } from './rows.ts';

/** A service over a framework, listening. */
export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a service of the routes that {@link describeFramework} asks for, with this cache and these options of the glue. */
export type Start = (cache: Cache, rows: Rows, options?: { readonly trust?: () => boolean }) => Promise<Service>;

/** What came back. */
interface Answer {
  readonly status: number;
  readonly token: string | undefined;
  readonly body: string;
}

/**
 * What a client may rely on, over HTTP, whatever the framework. The service has:
 * `GET /rows/:id` reads; `POST /rows/:id` has a JSON body, writes `body.value` and answers what it then reads;
 * `POST /read/:id` has a JSON body, and reads; `POST /fails/:id` writes and throws; `POST /moved/:id` writes and redirects;
 * `POST /streams/:id` sends its head, then writes; `POST /hasty/:id` writes, and does not wait; `GET /token` tells
 * `sessionToken()` or `none`.
 */
export function describeFramework(name: string, start: Start): void {
  describe(`${name}, over HTTP`, () => {
    let fleet: HeldBack;
    let rows: Rows;
    let here: Service;
    let there: Service;
    const agents: Agent[] = [];
    beforeEach(async () => {
      fleet = await heldBack();
      rows = new Rows();
      here = await start(fleet.writer, rows);
      there = await start(fleet.behind, rows);
      await ask(there, 'GET', '/rows/7');
      fleet.hold();
    });
    afterEach(async () => {
      for (const agent of agents.splice(0)) agent.destroy();
      await Promise.all([here.close(), there.close()]);
      await fleet.close();
    });

    it('a client that hands back the header reads its own write on an instance that has not heard of it', async () => {
      const written = await ask(here, 'POST', '/rows/7', { body: { value: 'new' } });
      expect(written).toMatchObject({ status: 200, body: 'new', token: fleet.writer.mark() });
      expect((await ask(there, 'GET', '/rows/7')).body).toBe('old'); // without the header
      const read = await ask(there, 'GET', '/rows/7', { token: written.token });
      expect(read).toMatchObject({ body: 'new', token: written.token });
    });

    it('a handler is in the session after the body was parsed', async () => {
      const { token } = await ask(here, 'POST', '/rows/7', { body: { value: 'new' } });
      const filler = 'x'.repeat(80_000); // arrives in several pieces
      expect((await ask(there, 'POST', '/read/7', { token, body: { filler } })).body).toBe('new');
    });

    it.each([
      ['fails midway', '/fails/7', 500],
      ['redirects', '/moved/7', 303],
    ])('a request that %s after its write hands out the token too', async (_what, path, status) => {
      const written = await ask(here, 'POST', path);
      expect(written).toMatchObject({ status, token: fleet.writer.mark() });
      expect((await ask(there, 'GET', '/rows/7', { token: written.token })).body).toBe('new');
    });

    it('what is invalidated after the head was sent is in no header', async () => {
      const written = await ask(here, 'POST', '/streams/7');
      expect(written).toMatchObject({ status: 200, token: undefined, body: 'begun, ended' });
    });

    it('an invalidation that nobody waits for is in the header all the same', async () => {
      const written = await ask(here, 'POST', '/hasty/7');
      expect(written.token).toMatch(/^1\.queued\.[0-9a-f]{32}$/);
      expect((await ask(there, 'GET', '/rows/7', { token: written.token })).body).toBe('new');
    });

    it.each([
      ['nonsense', 'nonsense'],
      ['a very long value', 'x'.repeat(10_000)],
      ['several, one of them nonsense', ['1.queued', 'x']],
    ])('%s in the header is no error: values are loaded', async (_what, token) => {
      const { loads } = rows;
      expect(await ask(there, 'GET', '/rows/7', { token })).toMatchObject({ status: 200, body: 'old' });
      expect(rows.loads).toBe(loads + 1);
    });

    it('a header that comes several times counts as a whole', async () => {
      const first = await ask(here, 'POST', '/rows/7', { body: { value: 'new' } });
      const { token } = await ask(there, 'GET', '/token', { token: [`1.${'a'.repeat(16)}.1`, first.token ?? ''] });
      expect(token).toBe(`1.${'a'.repeat(16)}.1,${first.token}`);
    });

    it('requests on one connection are not one session', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      agents.push(agent);
      await ask(here, 'POST', '/rows/7', { body: { value: 'new' }, agent });
      expect(await ask(here, 'GET', '/token', { agent })).toMatchObject({ body: 'none', token: undefined });
    });

    it('many requests at once each have their own', async () => {
      const tokens = Array.from({ length: 30 }, (_, i) => `1.${'b'.repeat(16)}.${i + 1}`);
      const told = await Promise.all(tokens.map((token) => ask(here, 'GET', '/token', { token })));
      expect(told.map((it) => it.body)).toEqual(tokens);
    });

    it('a token is heeded only where whoever sends it is trusted', async () => {
      const wary = await start(fleet.behind, rows, { trust: () => false });
      try {
        const { token } = await ask(here, 'POST', '/rows/7', { body: { value: 'new' } });
        expect(await ask(wary, 'GET', '/rows/7', { token })).toMatchObject({ body: 'old', token: undefined });
      } finally {
        await wary.close();
      }
    });

    it('leaves a cache that was handed in open when it ends', async () => {
      const other = await start(fleet.writer, rows);
      await other.close();
      expect(await rows.read(fleet.writer, '8')).toBe('old');
    });
  });
}

/** One request, on a connection of its own unless it is given an agent. */
async function ask(
  { url }: Service,
  method: string,
  path: string,
  options: { readonly token?: string | string[] | undefined; readonly body?: object; readonly agent?: Agent } = {},
): Promise<Answer> {
  const { token, body, agent } = options;
  const headers = {
    ...(token === undefined ? {} : { [SESSION_HEADER]: token }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return new Promise((resolve, reject) => {
    const asking = request(`${url}${path}`, { method, headers, ...(agent && { agent }) }, (response) => {
      const told = response.headers[SESSION_HEADER];
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, token: Array.isArray(told) ? told.join() : told, body: text }),
      );
    });
    asking.on('error', reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
