import { plain } from './plain.ts';
import { clock, time } from './quantity.ts';

/** What the stream sends, as far as its lines name it. */
interface LiveEvent {
  readonly at?: number;
  readonly record?: {
    readonly kind: string;
    readonly origin: string;
    readonly time: number;
    readonly targets?: readonly string[];
    readonly patterns?: readonly string[];
    readonly labels?: readonly string[];
    readonly more?: number;
    readonly cause?: { readonly event?: string };
  };
}

/** An event of the live stream in one line for people. */
export function liveLine(type: string, data: unknown): string {
  const { at, record, ...rest } = data as LiveEvent;
  const told = record === undefined ? fields(rest) : recordText(record, at);
  return `${clock(at)}  ${plain(type).padEnd(11)}  ${told}`.trimEnd();
}

function recordText(record: NonNullable<LiveEvent['record']>, at: number | undefined): string {
  const { kind, origin, cause, time: made } = record;
  const after = at === undefined ? '' : ` after ${time(Math.max(0, at - made))}`;
  const event = cause?.event === undefined ? '' : ` (${plain(cause.event)})`;
  return `${kind === 'invalidate' ? '' : `${kind} `}${subject(record)}  by ${plain(origin)}${event}${after}`;
}

/** What a record covers, as well as it is known. */
function subject({ kind, targets, patterns = [], labels = [], more = 0 }: NonNullable<LiveEvent['record']>): string {
  if (kind === 'everything') return 'everything';
  const known = targets ?? [...labels.map((it) => `label ${it}`), ...patterns.map((it) => `pattern ${it}`)];
  const shown = known.slice(0, 5).map((it) => plain(it));
  const others = known.length - shown.length + more;
  return `${shown.join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
}

function fields(rest: object): string {
  return Object.entries(rest)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${plain(name)}=${plain(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join(' ');
}
