import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CacheOptions } from '../../index.ts';
import { logNames, redis } from '../../redis/index.ts';
import { type Command, command } from '../command.ts';
import { configFile, loadConfig } from '../config-file.ts';
import { composeFleet } from '../fleet.ts';
import type { ServeConfig } from '../serve-config.ts';
import { signalled } from '../signalled.ts';
import { terminalLogger } from '../terminal-logger.ts';
import { UsageError } from '../usage-error.ts';

const args = {
  config: { type: 'string', description: 'the configuration file; default tidemark.config.ts', valueHint: 'file' },
  redis: { type: 'string', description: 'the Redis of the fleet, in place of a configuration', valueHint: 'url' },
  name: { type: 'string', description: 'the name of its cache' },
  token: { type: 'string', description: 'what operators send; better in the environment, as TIDEMARK_TOKEN' },
  port: { type: 'string', description: 'default 9595; 0 for a free one' },
  host: { type: 'string', description: 'the address to listen on; default 127.0.0.1' },
  json: { type: 'boolean', description: 'log lines as JSON, in the shape of pino' },
} as const;

const PORT = 9595;

/** `tidemark serve` */
export const serve: Command<typeof args> = command({
  name: 'serve',
  description: 'Serves the HTTP API of a fleet, from a process that is no part of it',
  args,
  examples: [
    ['TIDEMARK_TOKEN=... tidemark serve --redis redis://localhost --name shop', 'on port 9595 of this machine'],
    ['tidemark serve --config deploy/tidemark.config.ts --host 0.0.0.0', 'as `serve` in a configuration says'],
  ],
  run: async (args) => {
    const { cache, port = PORT, host = '127.0.0.1', names, ...admin } = await configOf(args);
    const logger = terminalLogger((line) => void process.stdout.write(line), args.json === true);
    const fleet = await composeFleet({ logger, ...cache }, admin, names && { names });
    const server = createServer(fleet.admin.listener);
    try {
      server.listen(port, host);
      await once(server, 'listening');
      const { port: used } = server.address() as AddressInfo;
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${used}`;
      logger.info({ event: 'serving', url, name: cache.name }, `serving ${cache.name} on ${url}`);
      await signalled();
    } finally {
      // Whoever listens to the stream is told that it ends; then no connection is left.
      await fleet.close();
      server.close();
      server.closeAllConnections();
    }
  },
});

interface Served extends ServeConfig {
  /** Of the fleets there are, where that can be told. */
  readonly names?: () => Promise<readonly string[]>;
}

type Typed = Readonly<Partial<Record<'config' | 'redis' | 'name' | 'token' | 'port' | 'host', string | undefined>>>;

async function configOf({ config, redis: url, name, token: given, port, host }: Typed): Promise<Served> {
  const typed = { ...portOf(port), ...(host !== undefined && { host }) };
  if (url === undefined) return { ...(await configured(config)), ...typed };
  if (name === undefined) throw new UsageError('Which cache? Give its --name, as its services give it to createCache.');
  const token = given ?? process.env['TIDEMARK_TOKEN'];
  if (token === undefined)
    throw new UsageError('Who may use the API? Give a token of 16 characters or more, as TIDEMARK_TOKEN or --token.');
  const cache: CacheOptions = { name, ...redis({ url, timeout: '5s' }) };
  return { cache, access: { tokens: { operator: token } }, names: () => logNames({ url }), ...typed };
}

async function configured(named: string | undefined): Promise<ServeConfig> {
  const file = configFile(named);
  if (file === undefined)
    throw new UsageError(
      'Which fleet? Give --redis and --name, or a tidemark.config.ts with serve: { cache, access }.',
    );
  const { serve: config } = await loadConfig(file);
  if (config === undefined || typeof config.cache !== 'object')
    throw new UsageError(`${file} says nothing of what to serve. Give it serve: { cache: { name, ... }, access }.`);
  return config;
}

function portOf(text: string | undefined): { port?: number } {
  if (text === undefined) return {};
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UsageError(`--port ${text}: give 0 to 65535.`);
  return { port };
}
