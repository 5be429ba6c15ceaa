import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';

/** A Redis for the story. */
export interface RedisServer {
  readonly url: string;
  /** In words, for the first line. */
  readonly described: string;
  /** @param name of the cache whose log is no longer needed */
  stop(name: string): Promise<void>;
}

/**
 * The one that `REDIS_URL` names, or a server found on the PATH, started on a free port; it keeps nothing on disk.
 *
 * @throws Error that says what to do, where there is neither
 */
export async function openRedis({ REDIS_URL, PATH = '' }: NodeJS.ProcessEnv): Promise<RedisServer> {
  if (REDIS_URL !== undefined && REDIS_URL !== '') return given(REDIS_URL);
  const program = ['redis-server', 'valkey-server']
    .flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)))
    .find(isProgram);
  if (program === undefined)
    throw new Error(
      'This example needs Redis: set REDIS_URL=redis://host:port, or install redis-server or valkey-server.',
    );
  return launch(program, await freePort());
}

// The shell waits for the end of its input, which comes with the end of this process however it ends. So the server
// cannot outlive the story.
const guarded = '"$0" "$@" & server=$!; exec >/dev/null; cat; kill -9 $server; wait $server';

async function launch(program: string, port: number): Promise<RedisServer> {
  const settings = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const shell = spawn('/bin/sh', ['-c', guarded, program, '--port', String(port), ...settings], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // An interrupt from the terminal is for the story alone, which ends the server last.
    detached: true,
  });
  await ready(shell, program);
  return {
    url: `redis://127.0.0.1:${port}`,
    described: `${program} on port ${port}`,
    stop: async () => {
      const gone = once(shell, 'close');
      shell.stdin.end();
      await gone;
    },
  };
}

async function ready(
  shell: ChildProcess & { stdin: NodeJS.WritableStream; stdout: NodeJS.ReadableStream },
  program: string,
): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface(shell.stdout)) {
    said.push(line);
    if (line.includes('Ready to accept connections')) {
      shell.stdout.resume();
      return;
    }
  }
  shell.stdin.end();
  throw new Error(`${program} did not start:\n${said.join('\n')}`);
}

async function given(url: string): Promise<RedisServer> {
  // The story cuts a cable in the middle, which cannot prove to be the server that a certificate names.
  if (!url.startsWith('redis://')) throw new Error('REDIS_URL: this example needs a plain address, redis://host:port.');
  await over(url, (client) => client.ping());
  return {
    url,
    described: 'the one of REDIS_URL',
    // Values and leases have their time, and go by themselves.
    stop: async (name) => {
      const parts = ['log', 'stream', 'table', 'bans', 'nodes'];
      await over(url, (client) => client.unlink(parts.map((part) => `{${name}}:${part}`)));
    },
  };
}

async function over(url: string, work: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2_000 });
  // It says why; what `connect` throws is only that the connection is closed.
  let why = '';
  client.on('error', (error: Error) => (why = error.message));
  try {
    await client.connect();
    await work(client);
  } catch (error) {
    const reason = why === '' ? String(error) : why;
    throw new Error(`REDIS_URL: Redis does not answer there (${reason}). Start it, or unset REDIS_URL.`, {
      cause: error,
    });
  } finally {
    client.disconnect();
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
