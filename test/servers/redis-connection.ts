import { Redis } from 'ioredis';
import type { Argument, Commands, Connection } from '../../src/redis/connection.ts';
import { systemClock } from '../../src/cache/system-clock.ts';
import { Link } from '../../src/redis/link.ts';
import { LinkedCommands } from '../../src/redis/linked-commands.ts';

/** A connection to one server, as tests of what stands above the drivers need it. */
async function connectTo(url: string): Promise<Connection> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, enableOfflineQueue: false });
  client.on('error', () => {});
  await client.connect();
  let closed = false;
  client.on('close', () => (closed = true));
  return {
    send: ([command, ...args]) => client.callBuffer(command as string, ...args.map(asBuffer)) as Promise<never>,
    get closed() {
      return closed;
    },
    onClose: (listener) => void client.on('close', listener),
    close: () => client.disconnect(),
  };
}

/** ioredis would write the text of any other list of bytes. */
function asBuffer(arg: Argument): string | Buffer {
  return typeof arg === 'string' ? arg : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength);
}

/** Commands to one server, with a list of what was sent. */
export interface ObservedCommands extends Commands {
  /** The arguments of each command, in order. */
  readonly sent: (readonly Argument[])[];
}

/** @param spread as in a Cluster: the server may be the only one of it */
export function commandsTo(url: string, { spread = false } = {}): ObservedCommands {
  const link = new Link({ open: () => connectTo(url), clock: systemClock, random: Math.random, timeout: 5_000 });
  const linked = new LinkedCommands(link);
  const sent: (readonly Argument[])[] = [];
  return {
    spread,
    sent,
    send: (key, args) => {
      sent.push(args);
      return linked.send(key, args);
    },
    close: () => linked.close(),
  };
}
