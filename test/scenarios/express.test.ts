import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { tidemark } from 'tidemark/express';
import { describe, expect, it } from 'vitest';
import { describeFramework, type Service, type Start } from './framework-cases.ts';
import type { Rows } from './rows.ts';

function routes(app: Express, rows: Rows): void {
  app.get('/rows/:id', async (req, res) => void res.send(await rows.read(req.cache, req.params.id)));
  app.post('/read/:id', async (req, res) => void res.send(await rows.read(req.cache, req.params.id)));
  app.post('/rows/:id', async (req, res) => {
    const { id } = req.params;
    await rows.write(req.cache, id, (req.body as { value: string }).value);
    res.send(await rows.read(req.cache, id));
  });
  app.post('/fails/:id', async (req) => {
    await rows.write(req.cache, req.params.id);
    throw new Error('in the middle');
  });
  app.post('/moved/:id', async (req, res) => {
    await rows.write(req.cache, req.params.id);
    res.redirect(303, '/rows/7');
  });
  app.post('/streams/:id', async (req, res) => {
    res.write('begun, ');
    await rows.write(req.cache, req.params.id);
    res.end('ended');
  });
  app.post('/hasty/:id', (req, res) => {
    void rows.write(req.cache, req.params.id);
    res.send('at once');
  });
  app.get('/token', (req, res) => void res.send(req.cache.sessionToken() ?? 'none'));
}

async function listening(app: Express): Promise<Service> {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeIdleConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

/** Express prints the errors of handlers, except in this environment. */
const quiet = (): Express => express().set('env', 'test');

const start: Start = async (cache, rows, options) => {
  const app = quiet().use(tidemark({ cache, ...options }), express.json());
  routes(app, rows);
  return listening(app);
};

const behindTheParser: Start = async (cache, rows, options) => {
  const app = quiet().use(express.json(), tidemark({ cache, ...options }));
  routes(app, rows);
  return listening(app);
};

describeFramework('Express', start);
describeFramework('Express, its body parser first', behindTheParser);

describe('tidemark/express', () => {
  it.each([[{ cache: { name: 'shop' } }], [{}], [undefined], [null]])('refuses %j, in which is no cache', (given) => {
    expect(() => tidemark(given as never)).toThrow('is no cache. Give what createCache() returned.');
  });
});
