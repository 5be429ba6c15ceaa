import { randomBytes } from 'node:crypto';
import { Cable } from './cable.ts';
import { Fleet } from './fleet.ts';
import { openRedis } from './redis-server.ts';
import { play } from './story.ts';
import { Timeline } from './timeline.ts';

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => reject(new Error(`Ended by ${signal}.`)));
});
interrupted.catch(() => {});

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const server = await openRedis(process.env);
  const timeline = new Timeline(write);
  const fleet = new Fleet((it) => timeline.tell(it));
  const cable = new Cable(server.url);
  // A life of its own for every story: the services' data begins anew, and so must what is kept of it.
  const name = `example-${randomBytes(4).toString('hex')}`;
  try {
    const cabled = await cable.lay();
    const starting = fleet.start(name, (service) => (service === 'user' ? cabled : server.url));
    const urls = await Promise.race([starting, interrupted]);
    write(`Redis: ${server.described}`);
    for (const [service, url] of Object.entries(urls)) write(`${service.padEnd(8)} ${url}`);
    await fleet.toldAll();
    timeline.print('0. The services start');
    await Promise.race([play({ fleet, urls, cable, timeline, write }), interrupted]);
    write('\nAll as expected.');
  } finally {
    await fleet.stop();
    await cable.remove();
    await server.stop(`${name}:social`);
  }
}
