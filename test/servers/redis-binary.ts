import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a test runs on: what this machine has (or Debian's package for it), or one of Debian 13's. */
export type RedisFlavour = 'redis-7' | 'redis-8' | 'valkey-8';

/** How to start a server. */
export interface RedisBinary {
  readonly command: string;
  /** Before the server's own arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const cache = fileURLToPath(new URL('../../node_modules/.cache/tidemark', import.meta.url));
const libraries = (root: string): string => join(root, 'usr/lib/x86_64-linux-gnu');

/**
 * The server to start. What is missing is unpacked from Debian's packages into a folder of caches, without root.
 *
 * @param flavour default `TIDEMARK_REDIS_FLAVOUR`, else any server on the path
 */
export function redisBinary(flavour: string | undefined = process.env['TIDEMARK_REDIS_FLAVOUR']): RedisBinary {
  switch (flavour) {
    case 'redis-8':
      return ofDebian13('redis-server', flavour);
    case 'valkey-8':
      return ofDebian13('valkey-server', flavour);
    case 'redis-7':
    case undefined:
    case '':
      return installed() ?? unpacked();
    default:
      throw new Error(`TIDEMARK_REDIS_FLAVOUR=${flavour} is none of redis-7, redis-8, valkey-8.`);
  }
}

function installed(): RedisBinary | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const onPath = (name: string): boolean => folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
  const command = ['redis-server', 'valkey-server'].find(onPath);
  return command === undefined ? undefined : { command, args: [], env: process.env };
}

/** The package of this system's own Debian, with those libraries that the system lacks. */
function unpacked(): RedisBinary {
  const root = join(cache, 'redis-7');
  fetchOnce(root, ['redis-server', 'redis-tools']);
  return {
    command: join(root, 'usr/bin/redis-server'), // A link into the package redis-tools.
    args: [],
    env: { ...process.env, LD_LIBRARY_PATH: libraries(root) },
  };
}

/** Debian 13's, run by its own loader: this system's C library may be older. */
function ofDebian13(name: string, flavour: RedisFlavour): RedisBinary {
  const root = join(cache, flavour);
  fetchOnce(root, [name], 'trixie');
  const loader = join(libraries(root), 'ld-linux-x86-64.so.2');
  const server = join(root, 'usr/bin', name);
  return { command: loader, args: ['--argv0', name, '--library-path', libraries(root), server], env: process.env };
}

/** Where this system gets Debian's packages from. */
function debian(): string {
  const format = ['--format', '$(SITE)', 'Created-By: Packages', 'Origin: Debian'];
  const [site] = execFileSync('apt-get', ['indextargets', ...format], { encoding: 'utf8' }).split('\n');
  if (!site) throw new Error('apt has no lists of Debian here. Run "apt-get update" once.');
  return site;
}

/** Two processes at once are safe: the first to be ready wins. */
function fetchOnce(root: string, packages: readonly string[], release?: string): void {
  if (existsSync(root)) return;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(`${root}-`);
  try {
    unpack(work, packages, release);
    renameSync(join(work, 'root'), root);
  } catch (cause) {
    if (existsSync(root)) return;
    throw new Error(
      'The tests need redis-server or valkey-server 7.0 or later. Install it (Debian: apt install redis-server).',
      {
        cause,
      },
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
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
