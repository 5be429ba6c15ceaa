import { openDatabase } from './domain/database.ts';
import { Tenants } from './domain/tenants.ts';
import { loadEdition } from './editions.ts';
import { readSettings } from './settings.ts';

// One of several instances: started by `instances.ts`, which hears its address, and ends it by disconnecting. It ends likewise when
// whoever started it is killed. Ctrl-C in the terminal reaches it too, but is not for it: the front has requests to answer.
process.on('SIGINT', () => {});
const disconnected = new Promise<void>((resolve) => process.once('disconnect', () => resolve()));

const { edition, databaseUrl, redisUrl, secret, logLevel } = readSettings(process.env);
const database = await openDatabase(databaseUrl);
const start = await loadEdition(edition);
const log = { level: logLevel, stream: process.stderr };
const service = await start({ sql: database.sql, tenants: new Tenants(secret), redisUrl, log });
process.send?.({ address: await service.listen(0, '127.0.0.1') });

await disconnected;
setTimeout(() => process.exit(1), 10_000).unref();
await service.close();
await database.close();
