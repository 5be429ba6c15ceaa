import type { NodeView } from '../operations/index.ts';
import { statusColour } from './health-status.ts';
import { count, percent, size, time, UNKNOWN } from './quantity.ts';
import type { Column } from './table.ts';

const heard = ({ status }: NodeView): boolean => status !== 'silent';

/** A node or relay a line. Of one that is silent no more is told than that it is listed. */
export const nodeColumns: readonly Column<NodeView>[] = [
  { head: 'NODE', cell: ({ node }) => node },
  { head: 'KIND', cell: ({ kind }) => kind },
  { head: 'STATUS', cell: ({ status }) => status, paint: ({ status }) => statusColour(status) },
  {
    head: 'ATTACHED',
    cell: (it) => (heard(it) ? (it.attached ? 'yes' : 'no') : UNKNOWN),
    paint: (it) => (heard(it) && !it.attached ? 'red' : undefined),
  },
  { head: 'LAG', cell: ({ lag }) => time(lag), right: true },
  { head: 'PROVEN', cell: ({ provenAge }) => time(provenAge), right: true },
  { head: 'QUEUED', cell: (it) => (heard(it) ? count(it.queued) : UNKNOWN), right: true },
  { head: 'ENTRIES', cell: (it) => (heard(it) ? count(it.entries) : UNKNOWN), right: true },
  { head: 'MEMORY', cell: (it) => (heard(it) ? size(it.bytes) : UNKNOWN), right: true },
  { head: 'HITS', cell: ({ hitRate }) => percent(hitRate), right: true },
  { head: 'P95', cell: ({ latencyP95 }) => time(latencyP95), right: true },
  { head: 'HEARD', cell: (it) => (heard(it) ? time(it.reportAge) : UNKNOWN), right: true },
  { head: 'HOST', cell: (it) => (heard(it) ? `${it.host}/${it.pid}` : UNKNOWN) },
  { head: 'VERSION', cell: ({ version }) => version },
];
