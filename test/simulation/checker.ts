import { SITES } from './catalogue.ts';
import type { Fact, FactOf, Value, Wish } from './history.ts';
import { Obligations, type Obligation } from './obligation.ts';

/** What is promised; the names of the checks. */
export type PromiseName =
  | 'own write' // after `await invalidate()` this node serves nothing older
  | 'outbox' // what a committed transaction left in the outbox is known everywhere in the end
  | 'capture' // what somebody has changed who tells nobody is known everywhere in the end
  | 'capture lag' // ... and `maxLag` after a relay has said that it has captured it
  | 'max lag' // other nodes are at most `maxLag` behind the append
  | 'everywhere' // after an invalidation that is acknowledged everywhere no node serves anything older
  | 'strict' // after a strict commit has returned nobody is given anything older, whatever they tolerate
  | 'strict commit' // nor is anybody after the database has committed, while its writer can reach the log, or the epoch lasts
  | 'token' // a reader with a token sees that write, on any node
  | 'consistent' // grouped reads are valid at one position
  | 'tolerance' // an old value goes only to readers who asked for it
  | 'shadow' // a reader in shadow mode is given what was loaded after it asked
  | 'fallback' // what stands in for a load that failed goes to its reader, and to nobody else
  | 'value' // a value is of the row asked for, in the shape asked for, and was once committed
  | 'error' // errors of loaders, and only of their readers
  | 'recovery' // after the faults: attached, drained, settled
  | 'hits'; // after the faults: what was read is found again without loading, unless a record has come in between

export interface Violation {
  readonly promise: PromiseName;
  readonly text: string;
  /** Indexes of the facts that show it, in order. */
  readonly facts: readonly number[];
  readonly cell?: number;
}

/**
 * How far a wall clock may run ahead of the monotonic one before the library counts it as time that passed, in ms: so
 * much later a suspended machine may notice. Nothing else is allowed for.
 */
const STOPWATCH_TOLERANCE = 50;

interface Asked {
  readonly index: number;
  readonly fact: FactOf<'asked'>;
  /** For each cell what it must be at least, and why; `undefined` where nothing is owed. */
  readonly owed: readonly (Owed | undefined)[];
}

interface Owed extends Obligation {
  readonly promise:
    | 'outbox'
    | 'capture'
    | 'capture lag'
    | 'own write'
    | 'max lag'
    | 'everywhere'
    | 'strict'
    | 'strict commit'
    | 'token';
}

/** A strict write that was announced, and what it is promised from its commit on. */
interface Announced {
  readonly fact: FactOf<'announced'>;
  commit: FactOf<'commit'> | undefined;
  index: number;
  orphan: boolean;
}

interface Written {
  called: FactOf<'called'> | undefined;
  calledAt: number;
  commit: FactOf<'commit'> | undefined;
  acknowledged: FactOf<'acknowledged'> | undefined;
}

/**
 * Reads a history against what is promised (DESIGN section 1), and returns what breaks it.
 *
 * - *own write*: a read asked after `invalidate` resolved, in the same life of the same node, brings at least what the
 *   database showed when `invalidate` was called, for every cell that its targets cover. That is more than the rows
 *   written: whatever was committed before the call counts.
 * - *max lag*: a read asked more than `maxLag` (and 50 ms, see {@link STOPWATCH_TOLERANCE}) after the log's server
 *   executed an append brings at least what the database showed then, on every node. Appends count that the only
 *   primary has executed, whether or not the answer reached the writer, and those that were acknowledged. (Where loaders
 *   read a replica of the database, what it showed at the bound that the record carries.)
 * - *everywhere*: a read asked anywhere after such an acknowledgement brings what is owed to the writer's own node, also
 *   while detached: who serves then was waited for.
 * - *strict*: a read asked anywhere after a strict commit has returned brings what is owed to the writer's own node, whatever it
 *   tolerates.
 * - *strict commit*: a read asked anywhere after the database has committed a strict write brings that, where the run promises it
 *   (`connected`), until a fault may keep somebody from the log; and until another epoch is adopted where the writer has died.
 * - *shadow*: a read in shadow mode brings what a load has brought that began after it asked, whatever the cache has.
 * - *fallback*: what a query gives in place of an error was made for the reader who gets it, once, while it waited, for a load of its own
 *   or one that it shared that has failed, hung or was refused by an open breaker. It is said to be from there, and is kept nowhere:
 *   what is kept is given to somebody else, or again.
 * - *outbox*: in the end every read brings what was committed with a row in the outbox, whatever has become of its writer.
 * - *capture*: in the end every read brings everything that relays capture, or that was committed with a message in the database's log.
 * - *capture lag*: a read asked more than `maxLag` after a relay has said until when everything is in the log (`lagMs`) brings what was
 *   in the database's log before, visible or not: it says so once that is visible. (Neither where a relay may be with an old primary.)
 * - *token*: with the token of a write, the same as for its writer, at once and anywhere; in a session the same for every write
 *   that the client has been told the token of, and for those made in it before.
 * - *consistent*: at the moment when the last load of the group had ended no record had been appended that covers one
 *   value and that this value does not show. That is what "valid at one position" means with commits that become
 *   visible before their record: the head is read after that moment, so every record of then is at or below it, and
 *   every value is checked again once the head is applied; while a commit whose record is still to come may show in one
 *   value and not in another.
 * - A reader that tolerates staleness is owed what is that much older: `maxStaleness` and `grace` replace `maxLag` where
 *   they are longer, and put off the own write; `whenDetached` is added to `maxLag`. A token overrides them.
 *
 * Joiners are readers: they are held to what they were owed when they asked.
 */
export function check(facts: readonly Fact[]): Violation[] {
  return new Checker(facts).run();
}

class Checker {
  readonly #facts: readonly Fact[];
  readonly #violations: Violation[] = [];
  /** By life. */
  readonly #own = new Map<number, Obligations>();
  readonly #appended = new Obligations();
  readonly #everywhere = new Obligations();
  readonly #strict = new Obligations();
  readonly #kept = { outbox: new Obligations(), capture: new Obligations() };
  readonly #told = new Obligations();
  /** By write. */
  readonly #announced = new Map<number, Announced>();
  /** Until when nodes, or all, may not reach the log. */
  readonly #disturbed: FactOf<'disturbed'>[] = [];
  readonly #asked = new Map<number, Asked>();
  readonly #writes = new Map<number, Written>();
  readonly #loads = new Map<
    number,
    { row: number; node: number; began: number; ended: number; failed: boolean; version: number }
  >();
  readonly #fallbacks = new Map<
    number,
    { readonly index: number; readonly fact: FactOf<'fallback'>; given: boolean }
  >();
  /** By life: up to which fact its breaker has refused loads. */
  readonly #refused = new Map<number, number>();
  readonly #lives = new Map<number, number>();
  readonly #outside = new Map<number, number>();
  /** When each node was last asked for each row in the end. */
  readonly #audited = new Map<string, number>();
  /** When a record that covers a cell was last appended. */
  readonly #covered = new Map<number, number>();
  readonly #statuses = new Set<number>();
  readonly #closed = new Set<number>();
  #plan: FactOf<'plan'> = { at: 0, type: 'plan', text: '', maxLag: 0, nodes: 0, remembers: false };

  constructor(facts: readonly Fact[]) {
    this.#facts = facts;
  }

  run(): Violation[] {
    this.#facts.forEach((fact, index) => this.#take(fact, index));
    for (let node = 0; node < this.#plan.nodes; node++) {
      if (!this.#statuses.has(node)) this.#violate('recovery', `node ${node} is not there at the end`, []);
      else if (!this.#closed.has(node))
        this.#violate('recovery', `node ${node} does not come to an end when closed`, []);
    }
    return this.#violations;
  }

  #take(fact: Fact, index: number): void {
    switch (fact.type) {
      case 'plan':
        this.#plan = fact;
        return;
      case 'fault':
        // What the store has may seem to be older than it is, and expire in between: a miss, as promised.
        if (fact.text.startsWith('wall-clock')) this.#plan = { ...this.#plan, remembers: false };
        return;
      case 'started':
        this.#lives.set(fact.node, fact.life);
        return;
      case 'outside':
        this.#outside.set(
          fact.node,
          fact.begins ? Number.POSITIVE_INFINITY : fact.at + this.#plan.maxLag + STOPWATCH_TOLERANCE,
        );
        return;
      case 'commit':
        return this.#commit(fact, index);
      case 'announced':
        if (
          this.#plan.connected === true &&
          !this.#disturbed.some((it) => it.until >= fact.at && befalls(it, fact.node))
        )
          this.#announced.set(fact.write, { fact, commit: undefined, index, orphan: false });
        return;
      case 'disturbed':
        this.#disturbed.push(fact);
        for (const [write, it] of this.#announced) if (befalls(fact, it.fact.node)) this.#announced.delete(write);
        return;
      case 'killed':
        for (const it of this.#announced.values()) if (it.fact.node === fact.node) it.orphan = true;
        return;
      case 'node':
        return this.#adopt(fact);
      case 'refused':
        if (fact.code !== 'NOT_CONFIRMED')
          this.#violate('error', `write ${fact.write} was refused: ${fact.text}`, [index]);
        return;
      case 'kept':
        return this.#owe(this.#kept[fact.by], fact.cells, fact.versions, fact.at, index);
      case 'told':
        return this.#owe(this.#told, fact.cells, fact.versions, fact.at, index);
      case 'captured':
        if (!fact.caughtUp) this.#violate('recovery', 'no relay says that all was captured', [index]);
        return;
      case 'outbox':
        if (fact.count > 0) this.#violate('recovery', `${fact.count} rows stay in the outbox for ever`, [index]);
        return;
      case 'open':
        if (fact.count > 0) this.#violate('recovery', `${fact.count} announcements stay open for ever`, [index]);
        return;
      case 'called':
        this.#written(fact.write).called = fact;
        this.#written(fact.write).calledAt = index;
        return;
      case 'acknowledged':
        return this.#acknowledge(fact, index);
      case 'appended':
        for (const cell of fact.cells) this.#covered.set(cell, fact.at);
        if (fact.sole) this.#owe(this.#appended, fact.cells, fact.versions, fact.at, index);
        return;
      case 'asked':
        this.#asked.set(fact.read, { index, fact, owed: fact.cells.map((cell) => this.#owed(fact, cell)) });
        return;
      case 'answered':
        return this.#answer(fact, index);
      case 'failed':
        return this.#fail(fact, index);
      case 'load':
        this.#loads.set(fact.load, {
          row: fact.row,
          node: fact.node,
          began: index,
          ended: Number.POSITIVE_INFINITY,
          failed: false,
          version: 0,
        });
        return;
      case 'loaded':
      case 'load-failed': {
        const load = this.#loads.get(fact.load);
        if (load === undefined) return;
        load.ended = index;
        load.failed = fact.type === 'load-failed';
        if (fact.type === 'loaded') load.version = fact.version;
        return;
      }
      case 'fallback':
        this.#fallbacks.set(fact.fallback, { index, fact, given: false });
        return;
      case 'breaker':
        this.#refused.set(fact.life, fact.open ? Number.POSITIVE_INFINITY : index);
        return;
      case 'closed':
        this.#closed.add(fact.node);
        if (fact.unsent > 0) this.#violate('recovery', `node ${fact.node} closes with ${fact.unsent} unsent`, [index]);
        return;
      case 'status':
        return this.#status(fact, index);
      default:
        return;
    }
  }

  // --- what is owed

  #written(write: number): Written {
    let written = this.#writes.get(write);
    if (written === undefined) {
      written = { called: undefined, calledAt: 0, commit: undefined, acknowledged: undefined };
      this.#writes.set(write, written);
    }
    return written;
  }

  /** Usually before the call; after the acknowledgement only where the writer has lost its write order. */
  #commit(fact: FactOf<'commit'>, index: number): void {
    const written = this.#written(fact.write);
    written.commit = fact;
    const announced = this.#announced.get(fact.write);
    if (announced !== undefined) {
      announced.commit = fact;
      announced.index = index;
    }
    if (written.acknowledged !== undefined) this.#settle(written, written.acknowledged, fact.at, index);
  }

  #acknowledge(fact: FactOf<'acknowledged'>, index: number): void {
    const written = this.#written(fact.write);
    written.acknowledged = fact;
    if (written.commit !== undefined) this.#settle(written, fact, fact.at, index);
  }

  /** The write is complete: from here on its writer's node serves nothing older. */
  #settle(
    written: Written,
    { node, status, everywhere, strict }: FactOf<'acknowledged'>,
    at: number,
    index: number,
  ): void {
    const { called, commit } = written;
    if (called === undefined || commit === undefined) return;
    // It went to an old primary that others do not follow, maybe, though its receipt came later.
    if (called.at <= (this.#outside.get(node) ?? -1)) return;
    const versions = [...called.versions];
    commit.rows.forEach((row, i) => {
      versions[row] = Math.max(versions[row] ?? 0, commit.versions[i] ?? 0);
    });
    const life = this.#lives.get(node) ?? 0;
    let own = this.#own.get(life);
    if (own === undefined) {
      own = new Obligations();
      this.#own.set(life, own);
    }
    this.#owe(own, called.cells, versions, at, index);
    if (strict === true) this.#owe(this.#strict, called.cells, versions, at, index);
    if (everywhere) this.#owe(this.#everywhere, called.cells, versions, at, index);
    if (status !== 'queued') this.#owe(this.#appended, called.cells, versions, at, index);
  }

  /** A dead writer announces nothing again: what it has announced ends with its epoch. */
  #adopt({ event, text }: FactOf<'node'>): void {
    if (event !== 'epoch') return;
    for (const [write, { orphan, fact }] of this.#announced)
      if (orphan && !text.startsWith(`adopts ${fact.epoch}`)) this.#announced.delete(write);
  }

  #owe(to: Obligations, cells: readonly number[], versions: readonly number[], at: number, index: number): void {
    for (const cell of cells) to.add(cell, { at, version: versions[rowOf(cell)] ?? 0, fact: index });
  }

  /** The strongest of what a reader is owed who asks now. */
  #owed({ at, node, life, wish }: FactOf<'asked'>, cell: number): Owed | undefined {
    const outside = at <= (this.#outside.get(node) ?? -1);
    const tokens = writesOf(wish).filter((write) => this.#writes.get(write)?.called !== undefined);
    const tolerance = tokens.length === 0 ? wish.tolerance : 0;
    const found: (Owed | undefined)[] = [];
    if (!outside) {
      const put = tolerance > 0 ? at - tolerance - STOPWATCH_TOLERANCE : Number.POSITIVE_INFINITY;
      found.push(named('own write', this.#own.get(life)?.before(cell, put)));
      found.push(named('everywhere', this.#everywhere.before(cell, put)));
      // Who has been outside may have taken records, and rows, with it.
      if (wish.call === 'audit' && this.#outside.size === 0) {
        found.push(named('outbox', this.#kept.outbox.before(cell, Number.POSITIVE_INFINITY)));
        found.push(named('capture', this.#kept.capture.before(cell, Number.POSITIVE_INFINITY)));
      }
      found.push(named('strict', this.#strict.before(cell, Number.POSITIVE_INFINITY)));
      for (const it of this.#announced.values()) found.push(committed(it, cell));
      const lag = Math.max(this.#plan.maxLag + wish.detached, tolerance) + STOPWATCH_TOLERANCE;
      found.push(named('max lag', this.#appended.before(cell, at - lag)));
      if (this.#outside.size === 0) found.push(named('capture lag', this.#told.before(cell, at - lag)));
    }
    for (const write of outside ? [] : tokens) {
      const { called, calledAt } = this.#written(write);
      if (called?.cells.includes(cell))
        found.push({ promise: 'token', at: called.at, version: called.versions[rowOf(cell)] ?? 0, fact: calledAt });
    }
    return found.reduce(
      (most, one) => (one !== undefined && one.version > (most?.version ?? 0) ? one : most),
      undefined,
    );
  }

  // --- what is given

  #answer(fact: FactOf<'answered'>, index: number): void {
    const asked = this.#asked.get(fact.read);
    if (asked === undefined) return;
    const { cells, wish, node } = asked.fact;
    fact.values.forEach((value, i) => {
      if (value?.fallback !== undefined || fact.from === 'fallback')
        this.#standIn(value, cells[i] as number, asked, fact, index);
      else this.#value(value, cells[i] as number, asked, asked.owed[i], index);
    });
    if (fact.stale && (writesOf(wish).length > 0 || (wish.tolerance === 0 && wish.detached === 0))) {
      this.#violate(
        'tolerance',
        `read ${fact.read} on node ${node} was given an old value that it did not ask for`,
        [asked.index, index],
        cells[0],
      );
    }
    if (wish.call === 'consistent') this.#consistent(fact, asked, index);
    if (wish.call === 'audit') this.#audit(fact, asked, index);
  }

  #value(value: Value | undefined, cell: number, asked: Asked, owed: Owed | undefined, index: number): void {
    const { read, node, wish } = asked.fact;
    const about = `read ${read} (${wish.call}) of row ${rowOf(cell)} on node ${node}`;
    if (value === undefined) {
      if (wish.call !== 'peek' && wish.call !== 'get')
        this.#violate('value', `${about} was given nothing`, [asked.index, index], cell);
      return;
    }
    const load = this.#loads.get(value.load);
    if (value.row !== rowOf(cell) || load?.version !== value.version || load.row !== value.row) {
      this.#violate(
        'value',
        `${about} was given version ${value.version} of row ${value.row}, which no load of it has brought`,
        [asked.index, index],
        cell,
      );
      return;
    }
    const shape = asked.fact.shape ?? 1;
    if ((value.shape ?? 1) !== shape) {
      const text = `${about} was given the shape of version ${value.shape ?? 1}, and asked for that of ${shape}`;
      this.#violate('value', text, [asked.index, index], cell);
    }
    if (wish.call === 'shadow' && load.began < asked.index)
      this.#violate(
        'shadow',
        `${about} was given what was loaded before it asked`,
        [load.began, asked.index, index],
        cell,
      );
    if (owed !== undefined && !(value.version >= owed.version)) {
      const text = `${about} was given version ${value.version}, owed at least ${owed.version} (${owed.promise})`;
      this.#violate(owed.promise, text, [owed.fact, asked.index, index], cell);
    }
  }

  /** What stands in for a value is judged by whom it was made for, and why: of how old it is nothing is promised. */
  #standIn(value: Value | undefined, cell: number, asked: Asked, { from }: FactOf<'answered'>, index: number): void {
    const { read, node, wish, fallback } = asked.fact;
    const made = this.#fallbacks.get(value?.fallback ?? 0);
    const wrong = (): string | undefined => {
      if (made === undefined) return 'what nobody has made for a fallback';
      if (made.fact.read !== read) return `what was made for read ${made.fact.read}`;
      if (made.given) return 'a second time what was made for it';
      if (made.fact.row !== rowOf(cell)) return `what was made for row ${made.fact.row}`;
      if (fallback !== true) return 'a fallback, although it has none';
      if (from !== 'fallback' && from !== 'unknown') return `a fallback from ${from}`;
      return this.#excused(made.fact, asked, made.index)
        ? undefined
        : 'a fallback, although nothing that it waited for had failed';
    };
    const text = wrong();
    if (made !== undefined) made.given = true;
    if (text === undefined) return;
    const about = `read ${read} (${wish.call}) of row ${rowOf(cell)} on node ${node}`;
    const shown = made === undefined ? [asked.index, index] : [made.index, asked.index, index];
    this.#violate('fallback', `${about} was given ${text}`, shown, cell);
  }

  #consistent(fact: FactOf<'answered'>, asked: Asked, index: number): void {
    const { cells, read, node } = asked.fact;
    if (asked.fact.at <= (this.#outside.get(node) ?? -1)) return;
    const ended = fact.values.map((value) => this.#loads.get(value?.load ?? 0)?.ended ?? 0);
    const moment = Math.max(asked.index, ...ended);
    fact.values.forEach((value, i) => {
      const missed = value && this.#appended.firstAbove(cells[i] as number, value.version);
      if (value === undefined || missed === undefined || missed.fact > moment) return;
      const text = `read ${read} on node ${node}: row ${value.row} has version ${value.version}, although the record of version ${missed.version} was appended before the last value was loaded`;
      this.#violate('consistent', text, [missed.fact, asked.index, moment, index], cells[i]);
    });
  }

  #fail(fact: FactOf<'failed'>, index: number): void {
    const asked = this.#asked.get(fact.read);
    if (asked === undefined || this.#excused(fact, asked, index)) return;
    const { read, node, wish, cells } = asked.fact;
    this.#violate(
      'error',
      `read ${read} (${wish.call}) on node ${node} failed: ${fact.text}`,
      [asked.index, index],
      cells[0],
    );
  }

  /** Whether a loader of what was read has failed, has not come back, or was not asked by an open breaker, since the reader asked. */
  #excused(
    fact: Pick<FactOf<'failed'>, 'code' | 'load'>,
    { fact: { cells, node, life, wish }, index: since }: Asked,
    index: number,
  ): boolean {
    const rows = cells.map(rowOf);
    if (fact.code === 'NOT_CONSISTENT') return wish.call === 'consistent';
    if (fact.code === 'BREAKER_OPEN') return (this.#refused.get(life) ?? -1) > since;
    if (fact.code === 'LOAD_TIMEOUT') {
      return [...this.#loads.values()].some(
        (load) => load.node === node && rows.includes(load.row) && load.ended > index,
      );
    }
    const load = this.#loads.get(fact.load ?? 0);
    return load !== undefined && load.failed && load.ended > since && load.node === node;
  }

  // --- the end

  #audit(fact: FactOf<'answered'>, asked: Asked, index: number): void {
    const { node, cells } = asked.fact;
    const cell = cells[0] as number;
    const name = `${node}/${cell}`;
    const before = this.#audited.get(name);
    this.#audited.set(name, asked.fact.at);
    if (before === undefined || !this.#plan.remembers || fact.from !== 'loader') return;
    // Capture may come late with what was changed long ago.
    if ((this.#covered.get(cell) ?? Number.NEGATIVE_INFINITY) > before - this.#plan.maxLag) return;
    this.#violate(
      'hits',
      `node ${node} loads row ${rowOf(cell)} again right after it was read`,
      [asked.index, index],
      cell,
    );
  }

  #status(fact: FactOf<'status'>, index: number): void {
    this.#statuses.add(fact.node);
    const wrong = [
      fact.attached ? '' : 'is not attached',
      fact.queued === 0 ? '' : `still has ${fact.queued} queued`,
      (fact.announced ?? 0) === 0 ? '' : `takes ${fact.announced} announcements for open`,
      fact.refuses === true ? 'still refuses loads' : '',
      fact.unsettled === 0 ? '' : `has ${fact.unsettled} reads or invalidations that never settled`,
    ].filter((text) => text !== '');
    if (wrong.length > 0)
      this.#violate('recovery', `long after the last fault node ${fact.node} ${wrong.join(', ')}`, [index]);
  }

  #violate(promise: PromiseName, text: string, indexes: readonly number[], cell?: number): void {
    this.#violations.push({
      promise,
      text,
      facts: [...indexes].sort((a, b) => a - b),
      ...(cell === undefined ? {} : { cell }),
    });
  }
}

function named(promise: Exclude<Owed['promise'], 'token'>, obligation: Obligation | undefined): Owed | undefined {
  return obligation === undefined ? undefined : { ...obligation, promise };
}

/** The writes whose tokens a reader carries. */
function writesOf({ write, session = [] }: Wish): readonly number[] {
  return write === undefined ? session : [...session, write];
}

function befalls(fact: FactOf<'disturbed'>, node: number): boolean {
  return fact.node === undefined || fact.node === node;
}

/** What a strict write that has committed promises of a cell. */
function committed({ fact: { cells }, commit, index }: Announced, cell: number): Owed | undefined {
  const row = commit?.rows.indexOf(rowOf(cell)) ?? -1;
  if (commit === undefined || row === -1 || !cells.includes(cell)) return undefined;
  return { promise: 'strict commit', at: commit.at, version: commit.versions[row] ?? 0, fact: index };
}

function rowOf(cell: number): number {
  return Math.floor(cell / SITES.length);
}
