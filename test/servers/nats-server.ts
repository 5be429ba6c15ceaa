import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOnPath, unpackedPackages } from './debian-package.ts';
import { freePort } from './free-port.ts';
import { killed } from './killed.ts';

/** A NATS server with streams on disk, that a test has started for itself on a free port. */
export interface NatsServer {
  readonly port: number;
  /** What clients take as `servers`. */
  readonly address: string;
  /** Ends it as `SIGKILL` does, keeping port and folder. */
  kill(): Promise<void>;
  /** Starts it again on the same port; its streams are kept. */
  restart(): Promise<void>;
  /** Ends it and deletes its folder. */
  stop(): Promise<void>;
}

/** Starts a server and resolves when it accepts connections. */
export async function startNats(): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nats-'));
  const port = await freePort();
  const args = ['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', folder];
  let child = await launch(args);
  const kill = (): Promise<void> => killed(child);
  return {
    port,
    address: `127.0.0.1:${port}`,
    kill,
    restart: async () => {
      await kill();
      child = await launch(args);
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What this machine has, in `/usr/sbin` too, which is not on everybody's path; else Debian's package. */
function natsCommand(): string {
  const installed = commandOnPath('nats-server') ?? ['/usr/sbin/nats-server'].find((path) => existsSync(path));
  if (installed !== undefined) return installed;
  const needed = 'The tests need nats-server 2.9 or later. Install it (Debian: apt install nats-server).';
  return join(unpackedPackages('nats-2', ['nats-server'], needed), 'usr/sbin/nats-server');
}

async function launch(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(natsCommand(), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  await new Promise<void>((ready, fail) => {
    child.once('error', fail);
    child.once('exit', () => fail(new Error(`nats-server ended:\n${log}`)));
    child.stderr.on('data', (data: Buffer) => {
      log += data.toString();
      if (log.includes('Server is ready')) ready();
    });
  });
  child.removeAllListeners('exit');
  child.stderr.removeAllListeners('data').resume();
  return child;
}
