import { shorten, TidemarkError } from '../coherence/errors.ts';

/** The names of a cache's keys on a server. Those of the log share a slot of a Cluster, values and leases are spread. */
export interface RedisKeys {
  readonly log: string;
  readonly stream: string;
  readonly table: string;
  readonly bans: string;
  readonly nodes: string;
  readonly places: string;
  readonly reports: string;
  breaker(name: string): string;
  value(key: string): string;
  lease(key: string): string;
  /** @param label as `labelText` writes it */
  index(label: string): string;
}

/** @throws TidemarkError `INVALID_OPTION` for a name that would spread the log's keys over several slots */
export function redisKeys(name: string): RedisKeys {
  if (/[{}]/.test(name))
    throw new TidemarkError(
      'INVALID_OPTION',
      `name: ${shorten(name)} has a brace, which a Cluster reads. Leave it out.`,
    );
  return {
    log: `{${name}}:log`,
    stream: `{${name}}:stream`,
    table: `{${name}}:table`,
    bans: `{${name}}:bans`,
    nodes: `{${name}}:nodes`,
    places: `{${name}}:places`,
    reports: `{${name}}:reports`,
    breaker: (breaker) => `{${name}}:breaker:${breaker}`,
    value: (key) => `${name}:v:${key}`,
    lease: (key) => `${name}:l:${key}`,
    index: (label) => `${name}:i:${label}`,
  };
}
