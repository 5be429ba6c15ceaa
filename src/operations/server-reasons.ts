import type { ServerReport } from '../index.ts';
import type { Reason } from './reason.ts';

/** Shares of the memory limit from which on a server is short of memory, where nothing makes room. */
export const SHORT = 0.9;
export const SHORTEST = 0.98;

/** What is not as it should be with the server of the log. */
export function serverReasons(server: ServerReport): readonly Reason[] {
  return [...roleReasons(server), ...evictionReasons(server), ...memoryReasons(server)];
}

function roleReasons({ role }: ServerReport): readonly Reason[] {
  if (role === undefined || role === 'primary') return [];
  return [
    reason(
      'critical',
      `The server of the log is a ${role}: nothing is proved or taken there.`,
      'Give the address of the primary, or a client that looks for it (Sentinel, Cluster).',
    ),
  ];
}

/** A server without a limit evicts nothing. */
function evictionReasons({ evictionPolicy, memoryMost }: ServerReport): readonly Reason[] {
  if (evictionPolicy?.startsWith('allkeys-') !== true || !(memoryMost !== undefined && memoryMost > 0)) return [];
  return [
    reason(
      'degraded',
      `The server may evict a key of the log (maxmemory-policy ${evictionPolicy}): the cache of the whole fleet is cold then.`,
      'Set maxmemory-policy to volatile-lru, volatile-lfu or volatile-ttl, or to noeviction, or give the log a server of its own.',
    ),
  ];
}

/** Under `volatile-*` a full memory is usual: it is what the policy is for. */
function memoryReasons({ evictionPolicy = '', memoryUsed, memoryMost }: ServerReport): readonly Reason[] {
  if (memoryUsed === undefined || memoryMost === undefined || memoryMost === 0) return [];
  const share = memoryUsed / memoryMost;
  if (share < SHORT || evictionPolicy.startsWith('volatile-')) return [];
  const then = evictionPolicy.startsWith('allkeys-')
    ? 'the log is about to be evicted'
    : 'values are not stored any more';
  return [
    reason(
      share < SHORTEST ? 'degraded' : 'critical',
      `The server uses ${Math.round(share * 100)} % of its memory (${Math.round(memoryUsed / 2 ** 20)} of ${Math.round(memoryMost / 2 ** 20)} MiB): when it is full, ${then}.`,
      'Raise maxmemory, shorten TTLs, or set maxmemory-policy to volatile-lru, which makes room among the values alone.',
    ),
  ];
}

function reason(status: Reason['status'], message: string, recommendation: string): Reason {
  return { code: 'server', status, message, recommendation };
}
