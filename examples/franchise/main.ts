import type { AddressInfo } from 'node:net';
import { openDatabase } from './domain/database.ts';
import { createServer } from './fastify/server.ts';
import { Tenants } from './domain/tenants.ts';
import { welcome } from './welcome.ts';

const { PORT = '3001', HOST = 'localhost', LOG_LEVEL = 'info', FRANCHISE_DATABASE_URL } = process.env;
// Known to everybody who reads this: fit for made-up books on this machine, and it keeps the tokens from start to start.
const { FRANCHISE_SECRET = 'only for trying it out' } = process.env;

// Listened for from the start: asked to stop while Postgres comes up, the service still clears away what it has begun.
const askedToStop = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
});

try {
  const tenants = new Tenants(FRANCHISE_SECRET);
  const service = await start(tenants);
  process.stdout.write(welcome(service.url, tenants));
  await askedToStop;
  await service.stop();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function start(tenants: Tenants): Promise<{ url: string; stop(): Promise<void> }> {
  const port = portNumber(PORT);
  const database = await openDatabase(FRANCHISE_DATABASE_URL);
  // The log goes to stderr, so that stdout is what to copy.
  const app = createServer({ sql: database.sql, tenants, logger: { level: LOG_LEVEL, stream: process.stderr } });
  const stop = async (): Promise<void> => {
    setTimeout(() => process.exit(1), 10_000).unref();
    await app.close();
    await database.close();
  };
  try {
    await app.listen({ port, host: HOST });
  } catch (error) {
    await stop();
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new Error(`Port ${port} is taken. Choose another one, for example PORT=3002 npm start.`, { cause: error })
      : error;
  }
  const host = HOST.includes(':') ? `[${HOST}]` : HOST;
  return { url: `http://${host}:${(app.server.address() as AddressInfo).port}`, stop };
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new Error(`PORT must be a number from 0 to 65535, not "${text}". 0 takes any free port.`);
}
