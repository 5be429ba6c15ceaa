import { forgetOtherBooks } from './domain/cache.ts';
import { type Database, openDatabase } from './domain/database.ts';
import { Tenants } from './domain/tenants.ts';
import { loadEdition } from './editions.ts';
import type { Service } from './service.ts';
import { startInstances } from './instances.ts';
import { readSettings, type Settings } from './settings.ts';
import { welcome } from './welcome.ts';

// Listened for from the start: asked to stop while Postgres comes up, the service still clears away what it has begun.
const askedToStop = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
});

try {
  const settings = readSettings(process.env);
  const service = await start(settings);
  process.stdout.write(welcome(service.url, new Tenants(settings.secret)));
  await askedToStop;
  await service.stop();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function start(settings: Settings): Promise<{ url: string; stop(): Promise<void> }> {
  const database = await openDatabase(settings.databaseUrl);
  let service: Service | undefined;
  const stop = async (): Promise<void> => {
    setTimeout(() => process.exit(1), 10_000).unref();
    await service?.close();
    await database.close();
  };
  try {
    if (database.isNew && settings.redisUrl !== undefined) await forgetOtherBooks(settings.redisUrl);
    service = await createService(settings, database);
    return { url: await service.listen(settings.port, settings.host), stop };
  } catch (error) {
    await stop();
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new Error(`Port ${settings.port} is taken. Choose another one, for example PORT=3002 npm start.`, {
          cause: error,
        })
      : error;
  }
}

async function createService(settings: Settings, database: Database): Promise<Service> {
  const { edition, instances, redisUrl, secret, logLevel } = settings;
  if (instances > 1) return startInstances(instances, { ...process.env, ...database.environment });
  const create = await loadEdition(edition);
  // The log goes to stderr, so that stdout is what to copy.
  const log = { level: logLevel, stream: process.stderr };
  return create({ sql: database.sql, tenants: new Tenants(secret), redisUrl, log });
}
