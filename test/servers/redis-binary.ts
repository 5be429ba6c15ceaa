import { join } from 'node:path';
import { commandOnPath, libraries, unpackedPackages } from './debian-package.ts';

/** What a test runs on: what this machine has (or Debian's package for it), or one of Debian 13's. */
export type RedisFlavour = 'redis-7' | 'redis-8' | 'valkey-8';

/** How to start a server. */
export interface RedisBinary {
  readonly command: string;
  /** Before the server's own arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const needed =
  'The tests need redis-server or valkey-server 7.0 or later. Install it (Debian: apt install redis-server).';

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
  const command = commandOnPath('redis-server', 'valkey-server');
  return command === undefined ? undefined : { command, args: [], env: process.env };
}

/** The package of this system's own Debian, with those libraries that the system lacks. */
function unpacked(): RedisBinary {
  const root = unpackedPackages('redis-7', ['redis-server', 'redis-tools'], needed);
  return {
    command: join(root, 'usr/bin/redis-server'), // A link into the package redis-tools.
    args: [],
    env: { ...process.env, LD_LIBRARY_PATH: libraries(root) },
  };
}

/** Debian 13's, run by its own loader: this system's C library may be older. */
function ofDebian13(name: string, flavour: RedisFlavour): RedisBinary {
  const root = unpackedPackages(flavour, [name], needed, 'trixie');
  const loader = join(libraries(root), 'ld-linux-x86-64.so.2');
  const server = join(root, 'usr/bin', name);
  return { command: loader, args: ['--argv0', name, '--library-path', libraries(root), server], env: process.env };
}
