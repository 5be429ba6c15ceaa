import type { ServerReport } from '../../index.ts';
import type { BreakerStatus, KeyExplanation, FleetHealth, Metrics } from '../../operations/index.ts';
import type { DatabaseReport } from '../../postgres/index.ts';
import type { Api } from '../api.ts';
import { ApiError } from '../api-error.ts';
import type { NodeHealth } from '../node-health.ts';
import type { Samples } from '../samples.ts';

/** All that was looked at. What could not be is `undefined`, and why is in `skipped`. */
export interface Facts {
  readonly fleet?: FleetHealth | undefined;
  readonly node?: NodeHealth | undefined;
  readonly metrics?: Metrics | undefined;
  readonly server?: ServerReport | undefined;
  readonly breakers?: readonly BreakerStatus[] | undefined;
  readonly samples?: Samples | undefined;
  readonly explanation?: KeyExplanation | undefined;
  readonly database?: DatabaseReport | undefined;
}

export interface Look {
  readonly facts: Facts;
  readonly seen: readonly string[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

interface Sources {
  readonly api: Api;
  /** The key of an entry that somebody takes for stale. */
  readonly key: string | undefined;
  readonly database: (() => Promise<DatabaseReport>) | undefined;
}

/** Asks for everything, one after the other. @throws where nothing answers */
export async function look({ api, key, database }: Sources): Promise<Look> {
  const seen: string[] = [];
  const skipped: { what: string; why: string }[] = [];
  const ask = async <T>(what: string, work: (() => Promise<T>) | string): Promise<T | undefined> => {
    if (typeof work === 'string') return void skipped.push({ what, why: work });
    try {
      const answer = await work();
      seen.push(what);
      return answer;
    } catch (error) {
      // The API is there, and has no such thing.
      if (!(error instanceof ApiError) || !error.isAbsent) throw error;
      return void skipped.push({ what, why: error.said });
    }
  };
  const ofNode = <T>(work: () => Promise<T>): (() => Promise<T>) | string =>
    api.fleet ? 'only a node knows; ask one by --url' : work;
  const facts: Facts = {
    fleet: await ask('fleet', () => api.get<FleetHealth>('/admin/cache/fleet')),
    node: await ask(
      'node',
      ofNode(() => api.get<NodeHealth>('/admin/cache/health')),
    ),
    metrics: await ask(
      'queries',
      ofNode(() => api.get<Metrics>('/api/system/metrics/cache')),
    ),
    server: await ask('server', () => api.get<ServerReport>('/admin/cache/server')),
    breakers: await ask(
      'breakers',
      ofNode(() => breakersOf(api)),
    ),
    samples: await ask(
      'samples',
      ofNode(() => api.get<Samples>('/admin/cache/samples')),
    ),
    explanation: await ask(
      'entry',
      key === undefined ? 'no --key' : () => api.get<KeyExplanation>('/admin/cache/entry', { key }),
    ),
    database: await ask('database', database ?? 'no --database'),
  };
  return { facts, seen, skipped };
}

async function breakersOf(api: Api): Promise<readonly BreakerStatus[]> {
  return (await api.get<{ readonly breakers: readonly BreakerStatus[] }>('/admin/cache/breakers')).breakers;
}
