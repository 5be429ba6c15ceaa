import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../node_modules/.cache/tidemark', import.meta.url));

/** Where the libraries of unpacked packages are. */
export function libraries(root: string): string {
  return join(root, 'usr/lib/x86_64-linux-gnu');
}

/** The first of these commands that this system has. */
export function commandOnPath(...names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names.find((name) => folders.some((folder) => folder !== '' && existsSync(join(folder, name))));
}

/** Where this system gets Debian's packages from. */
function debian(): string {
  const format = ['--format', '$(SITE)', 'Created-By: Packages', 'Origin: Debian'];
  const [site] = execFileSync('apt-get', ['indextargets', ...format], { encoding: 'utf8' }).split('\n');
  if (!site) throw new Error('apt has no lists of Debian here. Run "apt-get update" once.');
  return site;
}

/**
 * Packages of Debian, unpacked into a folder of caches, without root; those libraries that this system lacks included. Two
 * processes at once are safe: the first to be ready wins.
 *
 * @param name of the folder
 * @param needed what to tell whoever has to install it by hand
 * @param release default: this system's own
 * @returns the folder, to be read as `/`
 */
export function unpackedPackages(name: string, packages: readonly string[], needed: string, release?: string): string {
  const root = join(cache, name);
  if (existsSync(root)) return root;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(`${root}-`);
  try {
    unpack(work, packages, release);
    renameSync(join(work, 'root'), root);
  } catch (cause) {
    if (!existsSync(root)) throw new Error(needed, { cause });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return root;
}

function unpack(work: string, packages: readonly string[], release?: string): void {
  const at = (...names: string[]): string => join(work, ...names);
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'debs', 'root'])
    mkdirSync(at(folder), { recursive: true });
  const options = [`Dir::State=${at('state')}`, `Dir::Cache=${at('cache')}`, 'Debug::NoLocking=1'];
  options.push('APT::Sandbox::User=', 'APT::Update::Error-Mode=any'); // Without the mode it succeeds when offline.
  if (release !== undefined) {
    writeFileSync(at('sources.list'), `deb ${debian()} ${release} main\n`);
    writeFileSync(at('status'), ''); // Nothing counts as installed: all libraries come along.
    options.push(
      `Dir::Etc::SourceList=${at('sources.list')}`,
      'Dir::Etc::SourceParts=-',
      `Dir::State::status=${at('status')}`,
    );
  } else options.push('Dir::State::status=/var/lib/dpkg/status');
  const settings = options.flatMap((option) => ['-o', option]);
  const apt = (...args: string[]): string =>
    execFileSync('apt-get', ['-q', ...settings, ...args], {
      ...{ cwd: at('debs'), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
      maxBuffer: 2 ** 26,
    });
  apt('update');
  const plan = apt('-s', '--no-install-recommends', 'install', ...packages);
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));
  apt('download', ...new Set([...packages, ...missing]));
  for (const file of readdirSync(at('debs'))) execFileSync('dpkg-deb', ['-x', at('debs', file), at('root')]);
}
