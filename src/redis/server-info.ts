import type { ServerReport } from '../cache/diagnostics.ts';

/** What `INFO` says of a server; what it does not is `undefined`: a managed service may leave out lines. */
export function readInfo(info: string): Omit<ServerReport, 'logBytes' | 'logRecords'> {
  const lines = new Map(
    [...info.matchAll(/^([a-z_0-9]+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
  const number = (name: string): number | undefined => {
    const value = Number(lines.get(name) || Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  const seconds = number('uptime_in_seconds');
  return {
    server: nameOf(lines),
    memoryUsed: number('used_memory'),
    memoryMost: number('maxmemory'),
    evictionPolicy: lines.get('maxmemory_policy'),
    clients: number('connected_clients'),
    hits: number('keyspace_hits'),
    misses: number('keyspace_misses'),
    evicted: number('evicted_keys'),
    expired: number('expired_keys'),
    uptime: seconds === undefined ? undefined : seconds * 1_000,
    role: roleOf(lines.get('role')),
    replicas: number('connected_slaves'),
  };
}

/** Valkey says for the sake of old clients that it is Redis 7.2. */
function nameOf(lines: ReadonlyMap<string, string>): string {
  const valkey = lines.get('valkey_version');
  if (valkey !== undefined) return `valkey ${valkey}`;
  return `redis ${lines.get('redis_version') ?? 'of an unknown version'}`;
}

function roleOf(role: string | undefined): string | undefined {
  if (role === 'master') return 'primary';
  return role === 'slave' ? 'replica' : role;
}
