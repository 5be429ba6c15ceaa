import type { Heard, NodeView } from './node-view.ts';
import type { NodeReportContent } from './node-report.ts';
import type { Reason } from './reason.ts';

/** Most nodes that a message names. */
const NAMED = 3;

/**
 * What is not as it should be with the nodes, one reason for each code. It is critical for the fleet where it is critical for more
 * than half of the nodes that report, else it degrades it: the others carry on.
 */
export function nodeReasons(heard: readonly Heard<NodeReportContent>[]): readonly Reason[] {
  const all = heard.flatMap(({ node, report }) => report.reasons.map((reason) => ({ node, reason })));
  const codes = [...new Set(all.map(({ reason }) => reason.code))];
  return codes.map((code) => {
    const found = all.filter(({ reason }) => reason.code === code);
    const critical = found.filter(({ reason }) => reason.status === 'critical');
    const [first] = [...critical, ...found] as [(typeof found)[number]];
    const nodes = [...new Set(found.map(({ node }) => node))];
    const isMost = new Set(critical.map(({ node }) => node)).size > heard.length / 2;
    return {
      code,
      status: isMost ? 'critical' : 'degraded',
      message: `${nodes.length} of ${heard.length} nodes (${named(nodes)}): ${first.reason.message}`,
      recommendation: first.reason.recommendation,
    };
  });
}

/** Those who are listed and say nothing, and a fleet in which nobody can take a request. */
export function presenceReasons(
  views: readonly NodeView[],
  heard: readonly Heard<NodeReportContent>[],
): readonly Reason[] {
  const silent = views.filter(({ status }) => status === 'silent').map(({ node }) => node);
  const reasons: Reason[] = [];
  if (!heard.some(({ report }) => report.ready))
    reasons.push({
      code: heard.length === 0 ? 'silent' : 'detached',
      status: 'critical',
      message: heard.length === 0 ? 'No process of this cache reports.' : `None of ${heard.length} nodes is ready.`,
      recommendation:
        'Start one, with createOperations(cache); where some run, look whether they reach this server and use this name.',
    });
  if (silent.length > 0)
    reasons.push({
      code: 'silent',
      status: 'degraded',
      message: `${silent.length} of ${views.length} nodes are in the list and publish no report: ${named(silent)}.`,
      recommendation:
        'A process that was killed is struck off by itself after some seconds. One that runs is blocked or cut off, or was not given createOperations(cache).',
    });
  return reasons;
}

function named(nodes: readonly string[]): string {
  const more = nodes.length > NAMED ? ` and ${nodes.length - NAMED} more` : '';
  return `${nodes.slice(0, NAMED).join(', ')}${more}`;
}
