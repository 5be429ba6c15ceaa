import { checkDetails } from '../coherence/cause.ts';
import { milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause, DraftDetails } from '../coherence/record.ts';
import type { Target } from '../coherence/target.ts';
import { checkTargets, type InvalidateOptions, notTargets, recordDetails } from './call-options.ts';
import type { Engine } from './engine.ts';
import { type AnnounceOptions, type CommittedOptions, type StrictWrite, strictWrite } from './strict-write.ts';

/** The write path of a cache: what comes before a record, and what after it. */
export class Invalidations {
  readonly #engine: Engine;
  /** Whether the store frees what is covered. */
  readonly #reclaims: boolean;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#reclaims = engine.settings.store?.reclaim !== undefined;
  }

  /** @throws TidemarkError `INVALID_TARGET`, `INVALID_OPTION`, `CLOSED`; at once, or by its promise */
  invalidate(targets: readonly Target[], options: InvalidateOptions | undefined): Promise<Receipt> {
    const { node, events, traces } = this.#engine;
    this.#engine.checkOpen();
    checkTargets(targets);
    // In a burst most calls end here, and share the promise of their record.
    if (options === undefined && !events.heard && !this.#reclaims && !traces.on)
      return this.#followed(node.invalidate(targets));
    return this.#followed(
      this.#traced('invalidate', targets, options?.cause, (cause) => this.#invalidate(targets, options, cause)),
    );
  }

  async announce(targets: readonly Target[], options: AnnounceOptions): Promise<StrictWrite> {
    const { node, settings } = this.#engine;
    this.#engine.checkOpen();
    if (!Array.isArray(targets)) throw notTargets('announce', targets);
    checkTargets(targets);
    checkDetails(options);
    const ms = milliseconds(options.timeout ?? '5s', 'timeout');
    if (!settings.strict)
      throw new TidemarkError(
        'INVALID_OPTION',
        'announce() needs readers that honour strict writes. Make the cache of every process with createCache({ strict: true }).',
      );
    const announced = await this.#traced('announce', targets, options.cause, (cause) =>
      node.announce(targets, { id: options.id, cause }, ms),
    );
    let since = 0;
    const details = (about: CommittedOptions): DraftDetails => {
      since = this.#engine.now();
      return { ...recordDetails(about), cause: this.#engine.traces.cause(about.cause) };
    };
    const write = strictWrite(announced, details, async (receipt, { cause }) => {
      const finished = await this.#reclaimed(targets, receipt);
      this.#tell(targets, finished, cause, since);
      return finished;
    });
    const committed: StrictWrite['committed'] = (about) =>
      this.#traced('invalidate', targets, about?.cause, () => write.committed(about));
    return { ...write, committed: (about) => this.#followed(committed(about)) };
  }

  /** A span of its own, whose trace goes into the record where the caller has given none. */
  #traced<T>(
    type: 'invalidate' | 'announce',
    targets: readonly Target[],
    cause: Cause | undefined,
    work: (cause: Cause | undefined) => T,
  ): T {
    const { traces, node } = this.#engine;
    return traces.span({ type, targets, cause, node: node.origin }, () => work(traces.cause(cause)));
  }

  async #invalidate(
    targets: readonly Target[],
    options: InvalidateOptions | undefined,
    cause: Cause | undefined,
  ): Promise<Receipt> {
    if (options !== undefined) checkDetails(options);
    const everywhere = this.#isEverywhere(options);
    const { node } = this.#engine;
    const since = this.#engine.now();
    // With nothing to tell, it may share the record of others in its turn.
    const plain = options === undefined && cause === undefined;
    const details = plain ? undefined : { ...recordDetails(options ?? {}), cause, confirm: everywhere || undefined };
    const appended = await node.invalidate(targets, details);
    const reclaimed = this.#reclaims ? await this.#reclaimed(targets, appended) : appended;
    const receipt = everywhere
      ? Object.freeze({ ...reclaimed, everywhere: await node.everywhere(appended) })
      : reclaimed;
    this.#tell(targets, receipt, cause, since);
    return receipt;
  }

  /**
   * Frees the store's memory of what is covered, where the store can: after the append, since what was filled before it might
   * be filled again otherwise. What is queued is left to its TTL.
   */
  async #reclaimed(targets: readonly Target[], receipt: Receipt): Promise<Receipt> {
    if (!this.#reclaims || receipt.status === 'queued') return receipt;
    const removed = await this.#engine.store?.reclaim(targets);
    return removed === undefined ? receipt : Object.freeze({ ...receipt, removed });
  }

  /** @param since when it began, on the stopwatch, in ms */
  #tell(targets: readonly Target[], receipt: Receipt, cause: Cause | undefined, since: number): void {
    const { events } = this.#engine;
    if (events.heard) events.emit({ type: 'invalidated', targets, receipt, cause, ms: this.#engine.now() - since });
  }

  /** The session that an invalidation is made in learns of it. */
  #followed(receipt: Promise<Receipt>): Promise<Receipt> {
    return this.#engine.scopes.current?.session?.follow(receipt) ?? receipt;
  }

  #isEverywhere(options: InvalidateOptions | undefined): boolean {
    const acknowledged = options?.acknowledged ?? 'here';
    if (acknowledged === 'here') return false;
    if (acknowledged !== 'everywhere')
      throw new TidemarkError(
        'INVALID_OPTION',
        `acknowledged: ${shorten(acknowledged)} is neither 'here' nor 'everywhere'.`,
      );
    if (this.#engine.node.knowsFleet) return true;
    throw new TidemarkError(
      'INVALID_OPTION',
      `acknowledged: 'everywhere' needs to know the nodes. Give createCache the part \`presence\` that belongs to its log.`,
    );
  }
}
