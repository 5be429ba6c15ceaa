import type { RelayReport } from '../cache/relay-report.ts';
import { ReportPublisher } from '../cache/report-publisher.ts';
import type { Reports } from '../cache/reports.ts';
import { systemProcess } from '../cache/system-process.ts';
import type { Part, PartContext } from '../coherence/part.ts';
import type { CaptureStatus } from './capture-progress.ts';
import type { OutboxStatus } from './outbox.ts';

/** How often a relay says how it is, in ms. */
const EVERY = 5_000;
/** Nobody else knows of a relay that there should be one: so its last report stays for a day where it does not end by itself. */
const DAY = 86_400_000;

/** What of a relay's status others are told. */
export interface ToldStatus {
  readonly state: RelayReport['state'];
  readonly log: { readonly reachable: boolean };
  readonly outbox: OutboxStatus | undefined;
  /** What the capture says of itself. */
  readonly capture: unknown;
}

/** Publishes how a relay is, among the reports of the nodes. */
export class RelayReporter {
  readonly #publisher: ReportPublisher;
  readonly #end: () => Promise<void>;

  constructor(part: Part<Reports>, context: PartContext, node: string, status: () => ToldStatus) {
    const reports = typeof part === 'function' ? part(context) : part;
    const name = systemProcess();
    const { clock, random, logger } = context;
    const write = (): string => JSON.stringify({ ...contentOf(status()), ...name } satisfies RelayReport);
    this.#publisher = new ReportPublisher({ reports, node, every: EVERY, ttl: DAY, clock, random, logger, write });
    // What was handed in as it is belongs to whoever made it.
    this.#end = async () => (typeof part === 'function' && isClosable(reports) ? reports.close() : undefined);
  }

  start(): void {
    this.#publisher.start();
  }

  async close(): Promise<void> {
    await this.#publisher.close();
    await this.#end();
  }
}

function contentOf({ state, log, outbox, capture }: ToldStatus): Omit<RelayReport, 'host' | 'pid' | 'version'> {
  const captured = capture as Partial<CaptureStatus> | undefined;
  const lags = [outbox?.oldestMs, captured?.lagMs].filter((ms) => ms !== undefined);
  // Who works not, cannot tell; nor can a capture that does not stream.
  const unknown = state !== 'active' || lags.length === 0 || (captured !== undefined && captured.lagMs === undefined);
  return {
    ...{ v: 1, kind: 'relay', state, every: EVERY, reachable: log.reachable, waiting: outbox?.waiting ?? 0 },
    lagMs: unknown ? null : Math.max(...lags),
    problem: (state === 'active' ? (captured?.problem ?? captured?.gap) : undefined) ?? null,
  };
}

function isClosable(part: object): part is { close(): Promise<void> } {
  return 'close' in part && typeof part.close === 'function';
}
