import type { Appended, InvalidationLog } from '../coherence/log.ts';
import type { Draft } from '../coherence/record.ts';
import type { Traces } from './traces.ts';

/** Most traces that one append is a span of: calls of many requests may share it. */
const MOST_TRACES = 32;

/**
 * A log whose appends are spans of the traces that their drafts carry: one in each trace, since an append belongs to all requests
 * that share it.
 *
 * @param node who appends
 */
export function tracedLog(log: InvalidationLog, traces: Traces, node: () => string): InvalidationLog {
  return {
    append: (drafts) => appendTraced(log, drafts, traces, node()),
    read: (after, options) => log.read(after, options),
    snapshot: () => log.snapshot(),
    // Whether a log has these says what it is.
    ...(log.attach === undefined ? {} : { attach: log.attach.bind(log) }),
    ...(log.onReachable === undefined ? {} : { onReachable: log.onReachable.bind(log) }),
    close: () => log.close(),
  };
}

function appendTraced(log: InvalidationLog, drafts: readonly Draft[], traces: Traces, node: string): Promise<Appended> {
  let work = (): Promise<Appended> => log.append(drafts);
  for (const [trace, index] of tracesOf(drafts)) {
    const inner = work;
    work = () => traces.span({ type: 'append', trace, index, drafts: drafts.length, node }, inner);
  }
  // Whoever came first has begun it: what is below belongs to its trace only if a span of that is around it.
  return traces.apart(work);
}

/** The first draft of each trace. */
function tracesOf(drafts: readonly Draft[]): Iterable<[trace: string, index: number]> {
  const found = new Map<string, [string, number]>();
  for (const [index, { cause }] of drafts.entries()) {
    if (cause?.trace === undefined) continue;
    const id = traceId(cause.trace);
    if (!found.has(id)) found.set(id, [cause.trace, index]);
    if (found.size === MOST_TRACES) break;
  }
  return found.values();
}

/** Of a `traceparent`: `version-traceId-spanId-flags`. */
function traceId(trace: string): string {
  return trace.split('-', 2)[1] ?? trace;
}
