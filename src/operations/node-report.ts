import type { ProcessName, RelayReport, Token } from '../index.ts';
import type { Health } from './health.ts';
import type { LatencyState } from './latency.ts';
import type { HealthStatus, Reason } from './reason.ts';
import type { Window } from './window.ts';

/** Counts of the window that health looks at. */
export interface NodeCounts {
  /** How long it was, in ms. */
  readonly ms: number;
  readonly hits: number;
  readonly missed: number;
  readonly loads: number;
  readonly loadFailures: number;
  readonly evicted: number;
  readonly invalidations: number;
}

/** What a node says of itself, as JSON. `null`: it does not know. */
export interface NodeReportContent extends ProcessName {
  readonly v: 1;
  readonly kind: 'node';
  readonly status: HealthStatus;
  readonly ready: boolean;
  readonly attached: boolean;
  readonly position: Token;
  readonly provenAge: number;
  readonly maxLag: number;
  readonly queued: number;
  readonly entries: number;
  readonly bytes: number;
  readonly tableFill: number;
  readonly window: NodeCounts;
  readonly hitRate: number | null;
  readonly latencyP95: number | null;
  readonly consistencyScore: number | null;
  /** What all reads of the window took, to be merged with those of other nodes. */
  readonly reads: LatencyState;
  readonly reasons: readonly Reason[];
}

/** Most reasons in a report, and characters of each text: it stays small whatever happens. */
const REASONS = 10;
const LENGTH = 500;

export interface NodeReportParts {
  readonly name: ProcessName;
  readonly health: Health;
  readonly ready: boolean;
  readonly window: Window;
  /** As `Cache.status()` tells it. */
  readonly status: Pick<
    NodeReportContent,
    'attached' | 'position' | 'provenAge' | 'maxLag' | 'queued' | 'entries' | 'bytes' | 'tableFill'
  >;
}

export function nodeReport({ name, health, ready, window, status }: NodeReportParts): NodeReportContent {
  const { attached, position, provenAge, maxLag, queued, entries, bytes, tableFill } = status;
  const { ms, hits, missed, loads, loadFailures, evicted, invalidations } = window;
  return {
    ...{ v: 1, kind: 'node', ...name, status: health.status, ready, attached, position, provenAge, maxLag, queued },
    ...{ entries, bytes, tableFill, window: { ms, hits, missed, loads, loadFailures, evicted, invalidations } },
    hitRate: health.hitRate ?? null,
    latencyP95: health.latencyP95 ?? null,
    consistencyScore: health.consistencyScore ?? null,
    reads: window.reads.state,
    reasons: health.reasons.slice(0, REASONS).map((reason) => ({
      ...reason,
      message: reason.message.slice(0, LENGTH),
      recommendation: reason.recommendation.slice(0, LENGTH),
    })),
  };
}

/**
 * A report as another release may have written it: what it does not say, or says otherwise, is taken for unknown, and what is not
 * known here is left out.
 *
 * @returns `undefined` for what is no report of a node or a relay
 */
export function readReport(text: string): NodeReportContent | RelayReport | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const said = new Said(json);
  switch (said.text('kind')) {
    case 'node':
      return readNode(said);
    case 'relay':
      return readRelay(said);
    default:
      return undefined;
  }
}

function readNode(said: Said): NodeReportContent {
  const [window, reads] = [said.within('window'), said.within('reads')];
  return {
    ...{ v: 1, kind: 'node', ...readName(said) },
    status: said.oneOf('status', ['healthy', 'degraded', 'critical'], 'healthy'),
    ...{ ready: said.is('ready'), attached: said.is('attached'), position: said.text('position') },
    ...{ provenAge: said.number('provenAge'), maxLag: said.number('maxLag'), queued: said.number('queued') },
    ...{ entries: said.number('entries'), bytes: said.number('bytes'), tableFill: said.number('tableFill') },
    window: {
      ...{ ms: window.number('ms'), hits: window.number('hits'), missed: window.number('missed') },
      ...{ loads: window.number('loads'), loadFailures: window.number('loadFailures') },
      ...{ evicted: window.number('evicted'), invalidations: window.number('invalidations') },
    },
    hitRate: said.numberOrNull('hitRate'),
    latencyP95: said.numberOrNull('latencyP95'),
    consistencyScore: said.numberOrNull('consistencyScore'),
    reads: { counts: reads.text('counts'), sum: reads.number('sum') },
    reasons: said.list('reasons').map(readReason),
  };
}

function readReason(said: Said): Reason {
  return {
    // Another release may have other codes: they are shown as they are.
    code: said.text('code') as Reason['code'],
    status: said.oneOf('status', ['degraded', 'critical'], 'degraded'),
    message: said.text('message'),
    recommendation: said.text('recommendation'),
  };
}

/** How often a relay of a release that does not say it reports, in ms. */
const EVERY = 5_000;

function readRelay(said: Said): RelayReport {
  const problem = said.text('problem');
  return {
    ...{ v: 1, kind: 'relay', ...readName(said) },
    state: said.oneOf('state', ['active', 'standby', 'stopped'], 'standby'),
    every: said.number('every') || EVERY,
    reachable: said.is('reachable'),
    ...{ lagMs: said.numberOrNull('lagMs'), waiting: said.number('waiting') },
    problem: problem === '' ? null : problem,
  };
}

function readName(said: Said): ProcessName {
  return { host: said.text('host'), pid: said.number('pid'), version: said.text('version') };
}

/** Fields of JSON from elsewhere, whatever they turn out to be. */
class Said {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(json: unknown) {
    this.#fields = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  }

  text(name: string): string {
    const value = this.#fields[name];
    return typeof value === 'string' ? value : '';
  }

  number(name: string): number {
    return this.numberOrNull(name) ?? 0;
  }

  numberOrNull(name: string): number | null {
    const value = this.#fields[name];
    return typeof value === 'number' ? value : null;
  }

  is(name: string): boolean {
    return this.#fields[name] === true;
  }

  oneOf<const T extends string>(name: string, known: readonly T[], usual: T): T {
    return known.find((it) => it === this.#fields[name]) ?? usual;
  }

  within(name: string): Said {
    return new Said(this.#fields[name]);
  }

  list(name: string): readonly Said[] {
    const value = this.#fields[name];
    return Array.isArray(value) ? value.map((it) => new Said(it)) : [];
  }
}
