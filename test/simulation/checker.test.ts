import { describe, expect, test } from 'vitest';
import { SITES } from './catalogue.ts';
import { check } from './checker.ts';
import { History, type ReadCall, type Value, type Wish } from './history.ts';
import { tell } from './story.ts';

/** A history written by hand: two nodes, one row (cells 0 to 3), `maxLag` 500. */
class Script {
  now = 0;
  readonly history: History = new History(() => this.now);
  #reads = 0;
  #loads = 0;

  constructor() {
    this.history.add({ type: 'plan', text: 'by hand', maxLag: 500, nodes: 2, remembers: true });
    for (const node of [0, 1]) this.history.add({ type: 'started', node, life: node + 1 });
  }

  at(now: number): this {
    this.now = now;
    return this;
  }

  load(version: number, row = 0): Value {
    const load = ++this.#loads;
    this.history.add({ type: 'load', load, node: 0, row });
    this.history.add({ type: 'loaded', load, version, source: 'primary' });
    return { row, version, load };
  }

  /** Commits, appends and acknowledges on node 0. */
  write(version: number, status: 'applied' | 'appended' | 'queued' = 'applied', everywhere = false): this {
    const write = version;
    this.history.add({ type: 'commit', write, rows: [0], versions: [version] });
    this.history.add({ type: 'called', write, node: 0, targets: 'key', cells: [0, 1, 2, 3], versions: [version, 0] });
    if (status !== 'queued') this.append(version);
    this.history.add({ type: 'acknowledged', write, node: 0, status, everywhere });
    return this;
  }

  append(version: number): this {
    const about = { server: 'A', epoch: 'e', number: version, sole: true, cells: [0, 1, 2, 3], versions: [version, 0] };
    this.history.add({ type: 'appended', ...about });
    return this;
  }

  ask(node: number, call: ReadCall = 'read', wish: Partial<Wish> = {}, cells: readonly number[] = [0]): number {
    const read = ++this.#reads;
    const complete = { call, tolerance: 0, detached: 0, write: undefined, ...wish };
    this.history.add({ type: 'asked', read, node, life: node + 1, cells, wish: complete });
    return read;
  }

  answer(read: number, values: readonly (Value | undefined)[], more: { from?: string; stale?: boolean } = {}): this {
    this.history.add({ type: 'answered', read, values, from: 'memory', stale: false, ...more });
    return this;
  }

  read(node: number, value: Value | undefined, call?: ReadCall, wish?: Partial<Wish>): this {
    return this.answer(this.ask(node, call, wish), [value]);
  }

  /** The promises that are broken, the run's end being as it should be. */
  broken(): string[] {
    for (const node of [0, 1]) {
      this.history.add({ type: 'status', node, attached: true, queued: 0, unsettled: 0 });
      this.history.add({ type: 'closed', node, unsent: 0 });
    }
    return check(this.history.facts).map(({ promise }) => promise);
  }
}

describe('the checker', () => {
  test('own write: the writer reads nothing older, at once; before the receipt it may', () => {
    const script = new Script();
    const old = script.load(0);
    const early = script.ask(0);
    script.write(1);
    expect(script.answer(early, [old]).broken()).toEqual([]);

    const late = new Script();
    const value = late.load(0);
    expect(late.write(1).read(0, value).broken()).toEqual(['own write']);
  });

  test.each(['applied', 'appended', 'queued'] as const)('own write: also where the receipt says %s', (status) => {
    const script = new Script();
    const old = script.load(0);
    expect(script.write(1, status).read(0, old).broken()).toEqual(['own write']);
  });

  test('the story names the promise, the read, and what it follows from', () => {
    const script = new Script();
    const old = script.load(0);
    script.write(1).read(0, old);
    const [violation] = check(script.history.facts);
    const story = violation === undefined ? '' : tell(script.history.facts, violation);
    expect(story).toMatch(/^own write: read 1 \(read\) of row 0 on node 0 was given version 0, owed at least 1/);
    expect(story.split('\n').filter((line) => line.startsWith('>'))).toHaveLength(3);
  });

  test('max lag: another node may be behind for so long, and no longer', () => {
    const script = new Script();
    const old = script.load(0);
    expect(script.at(100).write(1).at(650).read(1, old).broken()).toEqual([]);

    const late = new Script();
    const value = late.load(0);
    expect(late.at(100).write(1).at(651).read(1, value).broken()).toEqual(['max lag']);
  });

  test('max lag counts from the append, whether or not anybody heard of it', () => {
    const script = new Script();
    const old = script.load(0);
    expect(script.append(1).at(600).read(1, old).broken()).toEqual(['max lag']);
  });

  test('token: its reader is never behind, anywhere, whatever it tolerates', () => {
    const script = new Script();
    const old = script.load(0);
    expect(script.write(1).read(1, old, 'atLeast', { write: 1, tolerance: 900 }).broken()).toEqual(['token']);
  });

  test('everywhere: no node serves anything older, not even while detached', () => {
    const script = new Script();
    const old = script.load(0);
    expect(script.write(1, 'applied', true).read(1, old, 'read', { detached: 700 }).broken()).toEqual(['everywhere']);

    const tolerant = new Script();
    const value = tolerant.load(0);
    tolerant.write(1, 'applied', true).at(300);
    expect(tolerant.read(1, value, 'grace', { tolerance: 600 }).broken()).toEqual([]);
  });

  test('tolerance: puts off what is owed, and is given only where asked for', () => {
    const script = new Script();
    const old = script.load(0);
    script.at(100).write(1).at(900);
    expect(script.read(0, old, 'maxStaleness', { tolerance: 900 }).broken()).toEqual([]);

    const late = new Script();
    const value = late.load(0);
    late.at(100).write(1).at(1_100);
    expect(late.read(1, value, 'maxStaleness', { tolerance: 900 }).broken()).toEqual(['max lag']);

    const unasked = new Script();
    expect(unasked.answer(unasked.ask(0), [unasked.load(0)], { stale: true }).broken()).toEqual(['tolerance']);
  });

  test('consistent: a record appended before the last load must show; one appended after it need not', () => {
    const group = (appendFirst: boolean): string[] => {
      const script = new Script();
      const old = script.load(0);
      const read = script.ask(1, 'consistent', {}, [0, SITES.length]);
      if (appendFirst) script.append(1);
      const other = script.load(1, 1);
      if (!appendFirst) script.append(1);
      return script.answer(read, [old, other]).broken();
    };
    expect(group(true)).toEqual(['consistent']);
    expect(group(false)).toEqual([]);
  });

  test('value: of the row asked for, brought by a load, and there at all', () => {
    const script = new Script();
    expect(script.read(0, script.load(0, 1)).broken()).toEqual(['value']);
    const invented = new Script();
    expect(invented.read(0, { row: 0, version: 3, load: 9 }).broken()).toEqual(['value']);
    const nothing = new Script();
    expect(nothing.read(0, undefined, 'peek').read(0, undefined).broken()).toEqual(['value']);
  });

  test('error: only that of a loader that failed since the reader asked', () => {
    const failed = (order: 'before' | 'after'): string[] => {
      const script = new Script();
      script.history.add({ type: 'load', load: 7, node: 0, row: 0 });
      if (order === 'before') script.history.add({ type: 'load-failed', load: 7 });
      const read = script.ask(0);
      if (order === 'after') script.history.add({ type: 'load-failed', load: 7 });
      script.history.add({ type: 'failed', read, code: 'LOADER', load: 7, text: 'load 7 failed' });
      return script.broken();
    };
    expect(failed('after')).toEqual([]);
    expect(failed('before')).toEqual(['error']);
  });

  test('recovery: every node is there, attached, drained and settled', () => {
    const script = new Script();
    script.history.add({ type: 'status', node: 0, attached: false, queued: 2, unsettled: 1 });
    const found = check(script.history.facts);
    expect(found.map(({ text }) => text)).toEqual([
      'long after the last fault node 0 is not attached, still has 2 queued, has 1 reads or invalidations that never settled',
      'node 0 does not come to an end when closed',
      'node 1 is not there at the end',
    ]);
  });

  test('shadow: only what was loaded after the reader asked', () => {
    const script = new Script();
    const old = script.load(0);
    const asked = script.ask(0, 'shadow');
    script.answer(asked, [script.load(0)]);
    expect(script.broken()).toEqual([]);
    script.answer(script.ask(0, 'shadow'), [old]);
    expect(script.broken()).toEqual(['shadow']);
  });

  test('hits: what was audited is not loaded again, unless a record has come in between', () => {
    const audited = (between: (script: Script) => void): string[] => {
      const script = new Script();
      script.append(0).at(2_000);
      const value = script.load(0);
      script.answer(script.ask(0, 'audit'), [value], { from: 'loader' });
      between(script);
      return script.answer(script.ask(0, 'audit'), [value], { from: 'loader' }).broken();
    };
    expect(audited(() => {})).toEqual(['hits']);
    expect(audited((script) => script.append(0))).toEqual([]);
  });

  test('outbox: in the end, what was committed with a row in it, and no row', () => {
    const script = new Script();
    const old = script.load(0);
    const kept = script.history.add.bind(script.history);
    kept({ type: 'kept', by: 'outbox', write: 1, cells: [0], versions: [1] });
    script.answer(script.ask(0, 'audit'), [old]);
    kept({ type: 'outbox', count: 1 });
    expect(script.broken()).toEqual(['outbox', 'recovery']);
  });

  test('capture: in the end, what somebody has changed who told nobody, and a relay that says so', () => {
    const script = new Script();
    const old = script.load(0);
    script.history.add({ type: 'kept', by: 'capture', write: 1, cells: [0], versions: [1] });
    script.read(1, old).read(1, old, 'audit');
    script.history.add({ type: 'captured', caughtUp: false });
    expect(script.broken()).toEqual(['capture', 'recovery']);
  });

  test('capture lag: what a relay says that it has captured, everywhere `maxLag` later', () => {
    const told = (node: number, at: number): string[] => {
      const script = new Script();
      const old = script.load(0);
      script.at(100).history.add({ type: 'told', until: 90, cells: [0], versions: [1] });
      return script.at(at).read(node, old).broken();
    };
    expect([told(0, 640), told(0, 660), told(1, 660)]).toEqual([[], ['capture lag'], ['capture lag']]);
  });

  test('isolated with a primary that needs no confirmation, a node is outside of what is promised', () => {
    const script = new Script();
    const old = script.load(0);
    script.history.add({ type: 'outside', node: 1, begins: true });
    expect(script.write(1).at(900).read(1, old).broken()).toEqual([]);
  });

  describe('strict', () => {
    const epoch = 'e'.repeat(16);

    /** A run that promises strict writes from their commit on. */
    class StrictScript extends Script {
      constructor() {
        super();
        this.history.add({ type: 'plan', text: 'by hand', maxLag: 500, nodes: 2, connected: true, remembers: true });
      }

      announce(write: number, node = 0): this {
        this.history.add({ type: 'announced', write, node, life: node + 1, epoch, cells: [0, 1, 2, 3] });
        return this;
      }

      commit(version: number): this {
        this.history.add({ type: 'commit', write: version, rows: [0], versions: [version] });
        return this;
      }

      returned(version: number, strict = true): this {
        const write = version;
        this.history.add({
          type: 'called',
          write,
          node: 0,
          targets: 'key',
          cells: [0, 1, 2, 3],
          versions: [version, 0],
        });
        const about = { node: 0, status: 'appended', everywhere: false } as const;
        this.history.add({ type: 'acknowledged', write, ...about, strict });
        return this;
      }

      adopts(node: number, other: string): this {
        this.history.add({ type: 'node', node, event: 'epoch', text: `adopts ${other}, leaves ${epoch}` });
        return this;
      }
    }

    test('after its return no node serves anything older, whatever its reader tolerates', () => {
      for (const wish of [{}, { tolerance: 10_000 }, { detached: 10_000 }]) {
        const script = new Script();
        const old = script.load(0);
        script.history.add({ type: 'commit', write: 1, rows: [0], versions: [1] });
        script.history.add({ type: 'called', write: 1, node: 0, targets: 'key', cells: [0], versions: [1, 0] });
        const early = script.ask(1);
        script.history.add({
          type: 'acknowledged',
          write: 1,
          node: 0,
          status: 'appended',
          everywhere: false,
          strict: true,
        });
        expect(script.answer(early, [old]).read(1, old, 'maxStaleness', wish).broken()).toEqual(['strict']);
      }
    });

    test('a receipt that says it is not promises no more than another', () => {
      const script = new StrictScript();
      const old = script.load(0);
      expect(script.commit(1).returned(1, false).read(1, old).broken()).toEqual([]);
    });

    test('nor from its commit on, where the run promises that and its writer may reach the log', () => {
      const script = new StrictScript();
      const old = script.load(0);
      expect(script.announce(1).read(1, old).commit(1).read(1, old).broken()).toEqual(['strict commit']);

      const elsewhere = new Script();
      const value = elsewhere.load(0);
      elsewhere.history.add({ type: 'announced', write: 1, node: 0, life: 1, epoch, cells: [0] });
      elsewhere.history.add({ type: 'commit', write: 1, rows: [0], versions: [1] });
      expect(elsewhere.read(1, value).broken()).toEqual([]);
    });

    test('of a writer that may be cut off, before or after, nothing is promised before the return', () => {
      const before = new StrictScript();
      const old = before.load(0);
      before.history.add({ type: 'disturbed', node: 0, until: 100 });
      expect(before.at(50).announce(1).commit(1).read(1, old).broken()).toEqual([]);

      const after = new StrictScript();
      const value = after.load(0);
      after.announce(1).commit(1).history.add({ type: 'disturbed', node: undefined, until: 100 });
      expect(after.read(1, value).broken()).toEqual([]);

      const other = new StrictScript();
      const third = other.load(0);
      other.announce(1).commit(1).history.add({ type: 'disturbed', node: 1, until: 100 });
      expect(other.read(1, third).broken()).toEqual(['strict commit']);
    });

    test('of a writer that has died it is promised until another epoch is adopted', () => {
      const script = new StrictScript();
      const old = script.load(0);
      script.announce(1).commit(1).history.add({ type: 'killed', node: 0 });
      script.adopts(1, epoch).read(1, old);
      expect(script.adopts(1, 'f'.repeat(16)).read(1, old).broken()).toEqual(['strict commit']);
    });

    test('recovery: no announcement stays open, in the log or on a node', () => {
      const script = new Script();
      script.history.add({ type: 'open', count: 1 });
      script.history.add({ type: 'status', node: 0, attached: true, queued: 0, unsettled: 0, announced: 1 });
      expect(script.broken()).toEqual(['recovery', 'recovery']);
    });

    test('error: an announcement is refused for want of confirmations, and for nothing else', () => {
      const script = new Script();
      for (const code of ['NOT_CONFIRMED', 'ERROR'])
        script.history.add({ type: 'refused', write: 1, node: 0, code, text: code });
      expect(script.broken()).toEqual(['error']);
    });
  });

  describe('fallbacks', () => {
    /** Node 0 has a fallback for row 0. */
    class FallbackScript extends Script {
      #fallbacks = 0;
      #failing = 100;

      askFor(fallback = true, call: ReadCall = 'read', cells: readonly number[] = [0]): number {
        const read = this.ask(0, call, {}, cells);
        const asked = this.history.facts.at(-1);
        if (fallback && asked?.type === 'asked') this.history.facts.splice(-1, 1, { ...asked, fallback });
        return read;
      }

      loadFails(row = 0, node = 0): number {
        const load = ++this.#failing;
        this.history.add({ type: 'load', load, node, row });
        this.history.add({ type: 'load-failed', load });
        return load;
      }

      /** Made for a reader, because this load has failed; or for another reason. */
      fallback(read: number, why: number | 'BREAKER_OPEN' | 'LOAD_TIMEOUT', row = 0): Value {
        const fallback = ++this.#fallbacks;
        const failed = typeof why === 'number' ? { code: 'LOADER', load: why } : { code: why, load: undefined };
        this.history.add({ type: 'fallback', fallback, read, row, ...failed });
        return { row, version: -1, load: 0, fallback };
      }

      breaker(open: boolean): this {
        this.history.add({ type: 'breaker', node: 0, life: 1, open });
        return this;
      }
    }

    test('one whose load has failed may be given its own, whatever it is owed', () => {
      const script = new FallbackScript();
      script.load(0);
      const read = script.write(1).askFor();
      const value = script.fallback(read, script.loadFails());
      expect(script.answer(read, [value], { from: 'fallback' }).broken()).toEqual([]);
    });

    test('both who share a load that has failed are each given one', () => {
      const script = new FallbackScript();
      const [one, two] = [script.askFor(), script.askFor(true, 'query')];
      const load = script.loadFails();
      script.answer(one, [script.fallback(one, load)], { from: 'fallback' });
      expect(script.answer(two, [script.fallback(two, load)], { from: 'unknown' }).broken()).toEqual([]);
    });

    test("nobody is given another's, be it one who has none, who joined, or who finds it later", () => {
      for (const [fallback, both] of [
        [true, true],
        [true, false],
        [false, true],
      ]) {
        const script = new FallbackScript();
        const [one, two] = [script.askFor(), script.askFor(fallback)];
        const value = script.fallback(one, script.loadFails());
        if (both) script.answer(one, [value], { from: 'fallback' });
        expect(script.answer(two, [value], { from: 'unknown' }).broken()).toEqual(['fallback']);
      }
    });

    test('nobody without one is given any', () => {
      const script = new FallbackScript();
      const read = script.askFor(false);
      const value = script.fallback(read, script.loadFails());
      expect(script.answer(read, [value], { from: 'fallback' }).broken()).toEqual(['fallback']);
    });

    test.each(['memory', 'store', 'loader'])('it is never said to be from %s', (from) => {
      const script = new FallbackScript();
      const read = script.askFor();
      const value = script.fallback(read, script.loadFails());
      expect(script.answer(read, [value], { from }).broken()).toEqual(['fallback']);
    });

    test('what was loaded is not said to be one, nor is what nobody has made', () => {
      const script = new FallbackScript();
      const value = script.load(0);
      expect(script.answer(script.askFor(), [value], { from: 'fallback' }).broken()).toEqual(['fallback']);

      const other = new FallbackScript();
      const made = { row: 0, version: -1, load: 0, fallback: 7 };
      expect(other.answer(other.askFor(), [made], { from: 'fallback' }).broken()).toEqual(['fallback']);
    });

    test('it is given once, and for the row that was asked for', () => {
      const script = new FallbackScript();
      const read = script.askFor(true, 'many', [0, 0]);
      const value = script.fallback(read, script.loadFails());
      expect(script.answer(read, [value, value], { from: 'unknown' }).broken()).toEqual(['fallback']);

      const other = new FallbackScript();
      const asked = other.askFor();
      const elsewhere = other.fallback(asked, other.loadFails(1), 1);
      expect(other.answer(asked, [elsewhere], { from: 'fallback' }).broken()).toEqual(['fallback']);
    });

    test('it stands in for nothing that failed before the reader asked, on another node, or never', () => {
      const before = new FallbackScript();
      const early = before.loadFails();
      const late = before.askFor();
      expect(before.answer(late, [before.fallback(late, early)], { from: 'fallback' }).broken()).toEqual(['fallback']);

      const elsewhere = new FallbackScript();
      const read = elsewhere.askFor();
      const there = elsewhere.fallback(read, elsewhere.loadFails(0, 1));
      expect(elsewhere.answer(read, [there], { from: 'fallback' }).broken()).toEqual(['fallback']);

      const never = new FallbackScript();
      const asked = never.askFor();
      const { load } = never.load(0);
      expect(never.answer(asked, [never.fallback(asked, load)], { from: 'fallback' }).broken()).toEqual(['fallback']);
      for (const why of ['BREAKER_OPEN', 'LOAD_TIMEOUT'] as const) {
        const script = new FallbackScript();
        const without = script.askFor();
        expect(script.answer(without, [script.fallback(without, why)], { from: 'fallback' }).broken()).toEqual([
          'fallback',
        ]);
      }
    });

    test('a breaker that refuses is a reason, for an error too; one that was closed before is none', () => {
      const refused = (closed: boolean): FallbackScript => {
        const script = new FallbackScript().breaker(true);
        return closed ? script.breaker(false) : script;
      };
      for (const closed of [false, true]) {
        const script = refused(closed);
        const read = script.askFor();
        const value = script.fallback(read, 'BREAKER_OPEN');
        expect(script.answer(read, [value], { from: 'fallback' }).broken()).toEqual(closed ? ['fallback'] : []);

        const other = refused(closed);
        const failed = other.askFor(false);
        other.history.add({ type: 'failed', read: failed, code: 'BREAKER_OPEN', load: undefined, text: 'refused' });
        expect(other.broken()).toEqual(closed ? ['error'] : []);
      }
    });

    test('an open breaker excuses nothing old', () => {
      const script = new FallbackScript();
      const old = script.load(0);
      script.write(1).breaker(true);
      expect(script.answer(script.askFor(), [old], { from: 'memory' }).broken()).toEqual(['own write']);
    });

    test('recovery: no breaker refuses for ever', () => {
      const script = new Script();
      script.history.add({ type: 'status', node: 0, attached: true, queued: 0, unsettled: 0, refuses: true });
      expect(script.broken()).toEqual(['recovery']);
    });
  });
});
