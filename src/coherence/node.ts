import { type Announced, Announcer } from './announcer.ts';
import { EpochAge } from './epoch-age.ts';
import { TidemarkError } from './errors.ts';
import { Everywhere } from './everywhere.ts';
import { Follower, type FollowerState } from './follower.ts';
import type { RemovedGuards } from './guards.ts';
import type { InvalidationLog, LogOptions, Unsubscribe } from './log.ts';
import type { NodeEvent } from './node-event.ts';
import type { PartContext } from './part.ts';
import { type Position, queuedToken, type Token } from './position.ts';
import type { Presence } from './presence.ts';
import { positionOf, type Receipt } from './receipt.ts';
import { announcedBy, type Coverage, coverageOf, type Draft, type DraftDetails } from './record.ts';
import type { GrowingDraft } from './shared-draft.ts';
import { describeTarget, everything, type Target } from './target.ts';
import { View } from './view.ts';
import { Writer } from './writer.ts';

export interface NodeParts extends Omit<PartContext, 'logger' | 'logOptions'> {
  readonly log: InvalidationLog;
  readonly presence: Presence | undefined;
  /** How long entries may be served beyond `maxLag` while detached, in ms. */
  readonly tolerance: number;
  readonly options: LogOptions;
  /** In ms; see `Writer`. */
  readonly patience: number;
  readonly maxQueue: number;
  /** Strict writes are promised: nothing is served that one of them might cover without this node's knowing. */
  readonly strict?: boolean;
  readonly emit: (event: NodeEvent) => void;
  readonly removed: RemovedGuards;
}

/** Said of a call that gives nothing but targets. */
const NOTHING: DraftDetails = {};

/**
 * One process's part in the fleet: a view of the log, the follower that keeps it, and the writer that adds to the log.
 */
export class Node {
  /** `name#` and 32 random bits: the origin of this node's records. */
  readonly origin: string;
  readonly view: View;
  readonly follower: Follower;
  readonly #writer: Writer;
  readonly #everywhere: Everywhere | undefined;
  readonly #announcer: Announcer;
  readonly #age: EpochAge;
  readonly #parts: NodeParts;
  readonly #idPrefix: string;
  /** Drafts made so far. */
  #made = 0;
  #attached = false;
  readonly #ready = withResolvers();
  #reachable: Unsubscribe | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#idPrefix = hexadecimal(parts.random, 16);
    this.origin = `${parts.name}#${hexadecimal(parts.random, 8)}`;
    this.view = new View(parts.options, parts.removed);
    const { view } = this;
    this.follower = new Follower({ ...parts, view, hooks: this.#followerHooks() });
    this.#age = new EpochAge({ ...parts, maxLag: () => this.follower.options.maxLag });
    if (parts.strict === true) view.age = this.#age;
    this.#writer = new Writer({
      ...parts,
      view,
      follower: this.follower,
      hooks: this.#writerHooks(),
      makeToken: () => this.makeToken(),
      // The drafts that it replaces may have carried bounds of their commits: nobody may think that there were none.
      makeEverything: () => this.#draft(coverageOf([everything()]), [], { lsn: 'unknown' }),
      unannounced: (epoch) => this.#announcer.missingIn(epoch),
    });
    const { presence } = parts;
    if (presence !== undefined)
      this.#everywhere = new Everywhere({
        ...parts,
        presence,
        node: this.origin,
        options: () => this.follower.options,
      });
    this.#announcer = new Announcer({
      ...parts,
      view,
      follower: this.follower,
      writer: this.#writer,
      everywhere: this.#everywhere,
      isAttached: () => this.attachedAt(parts.stopwatch.now()),
      makeClose: (announced, about) =>
        this.#draft({ ...announced, kind: 'close' }, announced.targets, about, announced.id),
    });
  }

  start(): void {
    const late = this.#parts.removed.has('presenceFirst');
    if (!late) this.#everywhere?.start();
    this.follower.start();
    this.#reachable = this.#parts.log.onReachable?.(() => {
      this.follower.hurry();
      this.#writer.hurry();
    });
    if (late) this.#parts.clock.schedule(2_000, () => this.#everywhere?.start());
    this.#notice(undefined);
  }

  /** Whether entries may be served at a stopwatch reading, see {@link Follower.attachedAt}. */
  attachedAt(now: number, tolerance = 0): boolean {
    const attached = this.follower.attachedAt(now, tolerance);
    if (attached !== this.#attached && tolerance === 0) this.#change(attached, 'age');
    return attached;
  }

  /** Resolves when attached for the first time; rejects with `NOT_READY` after `ms` milliseconds. */
  ready(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#parts.clock.schedule(ms, () =>
        reject(
          new TidemarkError(
            'NOT_READY',
            `The cache is not attached to its log after ${ms} ms. Reads go to their loaders meanwhile; check that the log's server is reachable.`,
          ),
        ),
      );
      void this.#ready.promise.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Appends a record that covers targets. Never rejects. */
  invalidate(targets: readonly Target[], about: DraftDetails = NOTHING): Promise<Receipt> {
    const joined = about === NOTHING ? this.#writer.join(targets) : undefined;
    if (joined !== undefined) return joined;
    const draft = this.#draft(coverageOf(targets), targets.map(describeTarget), about);
    return this.#writer.write(draft, about.id !== undefined);
  }

  /**
   * Withholds what targets cover on every node, until a record closes that; see {@link Announcer}.
   *
   * @param ms how long every node may take to confirm it
   * @throws TidemarkError `NOT_CONFIRMED`, having closed it; `CLOSED`; `INVALID_OPTION` for an id that is in use
   */
  announce(targets: readonly Target[], about: Pick<DraftDetails, 'id' | 'cause'>, ms: number): Promise<Announced> {
    const coverage = { ...announcedBy(targets), kind: 'announce' } as const;
    return this.#announcer.announce(
      this.#draft(coverage, targets.map(describeTarget), { ...about, confirm: true }),
      ms,
    );
  }

  /** Whether this node can know when no other serves what it has invalidated. */
  get knowsFleet(): boolean {
    return this.follower.local || this.#everywhere !== undefined;
  }

  /**
   * Resolves when no node of the fleet serves what a record covers.
   *
   * @returns `false` of one that is queued, or where that cannot be known
   */
  async everywhere(receipt: Receipt): Promise<boolean> {
    const position = positionOf(receipt);
    if (position === undefined) return false;
    // Who follows a log of this process has applied the record in the turn of its append.
    return this.follower.local || ((await this.#everywhere?.confirmed(position)) ?? false);
  }

  /** A token for what was written before now and has no position: no other is the same, so that each node sees it for the first time. */
  makeToken(): Token {
    return queuedToken(this.#nextId());
  }

  /** Returns how many records could not be sent in `drain` ms. */
  async close(drain: number): Promise<number> {
    const unsent = await this.#writer.close(drain);
    this.#announcer.stop();
    this.follower.stop();
    this.#reachable?.();
    await this.#everywhere?.stop();
    return unsent;
  }

  #draft(
    coverage: Pick<Draft, 'kind'> & Omit<Coverage, 'kind'>,
    targets: string[],
    { id, cause, lsn, lsnAfter, confirm }: DraftDetails,
    closes?: string,
  ): GrowingDraft {
    // One literal with every field: records of one shape are applied faster than those of many.
    return {
      kind: coverage.kind,
      id: id ?? this.#nextId(),
      origin: this.origin,
      labels: coverage.labels,
      patterns: coverage.patterns,
      closes,
      lsn,
      lsnAfter,
      confirm,
      time: this.#parts.clock.wall(),
      targets,
      cause,
    };
  }

  /** 64 random bits of this node, then a counter: a message id has to be unique, not hard to guess. */
  #nextId(): string {
    return this.#idPrefix + (++this.#made).toString(16).padStart(16, '0');
  }

  #followerHooks(): ConstructorParameters<typeof Follower>[0]['hooks'] {
    const { emit } = this.#parts;
    let before = '';
    return {
      beforeAdopt: (epoch) => {
        before = this.view.epoch;
        this.#writer.beforeAdopt(epoch);
      },
      adopted: (snapshot, other, reason) => {
        if (other && this.#parts.log.attach === undefined) this.#age.begin();
        this.#writer.afterAdopt();
        this.#announcer.adopted(snapshot);
        if (other) emit({ type: 'epoch', epoch: snapshot.epoch, before });
        else emit({ type: 'resync', reason, position: this.#position() });
        if (other && differ(this.#parts.options, snapshot.options))
          emit({ type: 'options-differ', given: this.#parts.options, used: snapshot.options });
      },
      applied: (record) => {
        emit({ type: 'applied', record });
        this.#announcer.applied(record);
      },
      confirmed: (epoch, head) => {
        this.#writer.confirmed(epoch, head);
        this.#notice(undefined);
      },
      stateChanged: (_state: FollowerState, cause) => this.#notice(cause),
    };
  }

  #writerHooks(): ConstructorParameters<typeof Writer>[0]['hooks'] {
    const { emit } = this.#parts;
    return {
      queued: (draft, cause) => {
        emit({ type: 'queued', draft, cause });
        this.#notice(cause);
      },
      sent: (draft, position) => {
        emit({ type: 'sent', draft, position });
        this.#announcer.sent(draft, position);
      },
      overflowed: (dropped) => emit({ type: 'overflowed', dropped }),
    };
  }

  #notice(cause: unknown): void {
    const attached = this.follower.attachedAt(this.#parts.stopwatch.now());
    if (attached !== this.#attached) this.#change(attached, cause);
  }

  #change(attached: boolean, cause: unknown): void {
    this.#attached = attached;
    this.#announcer.changed();
    if (attached) {
      this.#ready.resolve();
      void this.#everywhere?.learn();
    }
    this.#parts.emit(
      attached
        ? { type: 'attached', position: this.#position() }
        : { type: 'detached', state: this.follower.state, cause },
    );
  }

  #position(): Position {
    return { epoch: this.view.epoch, number: this.view.applied };
  }
}

function differ(a: LogOptions, b: LogOptions): boolean {
  return a.slots !== b.slots || a.hashes !== b.hashes || a.maxLag !== b.maxLag || a.maxLife !== b.maxLife;
}

function hexadecimal(random: () => number, digits: number): string {
  let text = '';
  while (text.length < digits)
    text += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  return text.slice(0, digits);
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
