import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { killed } from './killed.ts';
import { type RedisFlavour, redisBinary } from './redis-binary.ts';

/** A Redis or Valkey that a test has started for itself, on a free port. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Sends a signal: `SIGSTOP` makes it hang, `SIGCONT` go on. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it as `SIGKILL` does, keeping port and folder. */
  kill(): Promise<void>;
  /** Starts it again on the same port; it has kept nothing unless it was told to. */
  restart(): Promise<void>;
  /** Ends it and deletes its folder. */
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Further arguments, such as `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[];
  /** The file of a Sentinel, in place of a server's. */
  readonly conf?: string;
  /** Default `TIDEMARK_REDIS_FLAVOUR`, else what this machine has. */
  readonly flavour?: RedisFlavour;
}

/** Starts a server and resolves when it accepts connections. */
export async function startRedis({
  args = [],
  conf: sentinel,
  flavour,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const conf = join(folder, 'redis.conf');
  writeFileSync(conf, sentinel ?? 'save ""\nrepl-diskless-sync-delay 0\nhz 100\n');
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const start = (): Promise<ChildProcess> =>
    launch([conf, ...(sentinel === undefined ? [] : ['--sentinel']), ...fixed, ...args], flavour);
  let child = await start();
  const kill = (): Promise<void> => killed(child);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    signal: (signal) => void child.kill(signal),
    kill,
    restart: async () => {
      await kill();
      child = await start();
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(args: readonly string[], flavour: RedisFlavour | undefined): Promise<ChildProcess> {
  const binary = redisBinary(flavour);
  const child = spawn(binary.command, [...binary.args, ...args], {
    ...{ env: binary.env, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  let log = '';
  await new Promise<void>((ready, fail) => {
    child.once('error', fail);
    child.once('exit', () => fail(new Error(`redis-server ended:\n${log}`)));
    child.stdout.on('data', (data: Buffer) => {
      log += data.toString();
      if (/Ready to accept|Sentinel ID/.test(log)) ready();
    });
  });
  child.removeAllListeners('exit');
  child.stdout.removeAllListeners('data').resume();
  return child;
}
