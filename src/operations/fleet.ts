import { within } from '../coherence/deadline.ts';
import type { Cache, NodePresence, RelayReport, ServerReport } from '../index.ts';
import { type FleetTotal, fleetTotal } from './fleet-total.ts';
import { nodeReasons, presenceReasons } from './node-reasons.ts';
import { type NodeReportContent, readReport } from './node-report.ts';
import { type Heard, newestPosition, type NodeView, nodeView, relayView, silentView } from './node-view.ts';
import { type HealthStatus, type Reason, recommendationsOf, statusOf } from './reason.ts';
import { isSilent, relayReasons, type RelaySummary, relayStatus, relaySummary } from './relay-summary.ts';
import { serverReasons } from './server-reasons.ts';
import type { Thresholds } from './thresholds.ts';

/** How the fleet is, why, and what to do. */
export interface FleetHealth {
  readonly status: HealthStatus;
  /** Nodes and relays, in the order of their names. */
  readonly nodes: readonly NodeView[];
  /** The worst first. */
  readonly reasons: readonly Reason[];
  readonly recommendations: readonly string[];
  readonly total: FleetTotal;
  /** `undefined` where it does not answer, or nobody can ask it. */
  readonly server: ServerReport | undefined;
  /** `undefined` of a fleet without relays. */
  readonly relay: RelaySummary | undefined;
}

export interface FleetParts {
  readonly cache: Cache;
  readonly thresholds: Thresholds;
  /** What this node would say of itself now; `undefined` of one that looks at the fleet and is none of it. */
  readonly own: () => NodeReportContent | undefined;
}

/** How long each part of the server may take to answer, in ms. */
const PATIENCE = 5_000;

/** See `Operations.fleet`. Never rejects for want of a server: what is not known is a reason. */
export async function fleetHealth({ cache, thresholds, own }: FleetParts): Promise<FleetHealth> {
  const { node, reports, presence, diagnostics, context } = cache.parts;
  const timely = <T>(work: Promise<T>): Promise<T> =>
    within(context.clock, PATIENCE, work, () => new Error(`no answer within ${PATIENCE} ms`));
  const [listed, roll, server] = await Promise.all([
    asked(reports && timely(reports.list())),
    asked(presence && timely(presence.list())),
    asked(diagnostics && timely(diagnostics.server())),
  ]);
  const mine = own();
  const heard = hear(listed.answer ?? [], mine && { node, age: 0, report: mine });
  const { nodes, relays } = heard;
  const views = viewsOf(heard, roll.answer?.nodes ?? [], thresholds);
  const relay = relaySummary(relays);
  const found: readonly Reason[] = [
    ...presenceReasons(
      views.filter(({ kind }) => kind === 'node'),
      nodes,
    ),
    ...nodeReasons(nodes),
    ...(relay === undefined ? [] : relayReasons(relay, thresholds.relayLag)),
    ...(server.answer === undefined ? [] : serverReasons(server.answer)),
    ...unanswered({ reports: listed.error, 'list of nodes': roll.error, server: server.error }),
  ];
  const reasons = [...found].sort((a, b) => Number(b.status === 'critical') - Number(a.status === 'critical'));
  return {
    ...{ status: statusOf(reasons), nodes: views, reasons, recommendations: recommendationsOf(reasons) },
    ...{ total: fleetTotal(nodes.map(({ report }) => report)), server: server.answer, relay },
  };
}

interface AllHeard {
  readonly nodes: readonly Heard<NodeReportContent>[];
  readonly relays: readonly Heard<RelayReport>[];
}

/** What was published, as far as it can be read; of this node what it says now. */
function hear(
  published: readonly { readonly node: string; readonly report: string; readonly age: number }[],
  own: Heard<NodeReportContent> | undefined,
): AllHeard {
  const nodes: Heard<NodeReportContent>[] = own === undefined ? [] : [own];
  const relays: Heard<RelayReport>[] = [];
  for (const { node, age, report: text } of published) {
    const report = readReport(text);
    if (report?.kind === 'relay') relays.push({ node, age, report });
    else if (report?.kind === 'node' && node !== own?.node) nodes.push({ node, age, report });
  }
  return { nodes, relays };
}

function viewsOf({ nodes, relays }: AllHeard, listed: readonly NodePresence[], thresholds: Thresholds): NodeView[] {
  const newest = newestPosition(nodes, listed);
  const present = new Map(listed.map((it) => [it.node, it]));
  const silent = listed.filter(({ node }) => !nodes.some((it) => it.node === node));
  const views = [
    ...nodes.map((it) => nodeView(it, present.get(it.node), newest)),
    ...silent.map((it) => silentView(it, newest)),
    ...shownRelays(relays).map((it) =>
      relayView(it, isSilent(it) ? 'silent' : relayStatus(it.report, thresholds.relayLag)),
    ),
  ];
  return views.sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** One that was killed is of interest only until another works in its place. */
function shownRelays(relays: readonly Heard<RelayReport>[]): readonly Heard<RelayReport>[] {
  return relaySummary(relays)?.active === undefined ? relays : relays.filter((it) => !isSilent(it));
}

async function asked<T>(work: Promise<T> | undefined): Promise<{ readonly answer?: T; readonly error?: string }> {
  try {
    return work === undefined ? {} : { answer: await work };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function unanswered(errors: Readonly<Record<string, string | undefined>>): readonly Reason[] {
  const failed = Object.entries(errors).filter(([, error]) => error !== undefined);
  if (failed.length === 0) return [];
  const [[, error] = []] = failed;
  return [
    {
      code: 'server',
      status: 'degraded',
      message: `Not known, since the server has not answered: ${failed.map(([name]) => name).join(', ')}. ${error}`,
      recommendation: 'Look at the server of the log, and at what its user may do.',
    },
  ];
}
