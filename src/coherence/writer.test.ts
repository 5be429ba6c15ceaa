import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { type Held, ScriptedLog } from '../testing/scripted-log.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import type { Guard } from './guards.ts';
import { keyLabel } from './label.ts';
import type { InvalidationLog } from './log.ts';
import { logOptions } from './log-options.ts';
import { MemoryLog } from './memory-log.ts';
import { Node } from './node.ts';
import type { NodeEvent } from './node-event.ts';
import { parseToken } from './position.ts';
import type { Receipt } from './receipt.ts';
import type { Draft, Lsn } from './record.ts';
import { Stopwatch } from './stopwatch.ts';
import { key, type Target } from './target.ts';
import type { Cover } from './view.ts';

const MAX_LAG = 2_000;
const PATIENCE = 250;
const MAX_QUEUE = 3;

/** A node that writes to a scripted log. */
class Scene {
  readonly clock = new FakeClock();
  readonly stopwatch = new Stopwatch(this.clock);
  readonly server: MemoryLog;
  readonly log: ScriptedLog;
  readonly node: Node;
  readonly events: NodeEvent[] = [];
  heard: (event: NodeEvent) => void = () => {};

  constructor(removed: readonly Guard[] = [], parts: { local?: boolean; patience?: number } = {}) {
    const options = logOptions({ slots: 2 ** 12, maxLag: MAX_LAG });
    const random = new SeededRandom(5).next;
    this.server = new MemoryLog(options, { clock: this.clock, stopwatch: this.stopwatch, random });
    this.log = new ScriptedLog(this.server, () => this.stopwatch.now());
    const log: InvalidationLog = parts.local === true ? this.server : this.log;
    this.node = new Node({
      name: 'test',
      clock: this.clock,
      stopwatch: this.stopwatch,
      random: () => 0.5,
      log,
      presence: undefined,
      tolerance: 0,
      options,
      patience: parts.patience ?? PATIENCE,
      maxQueue: MAX_QUEUE,
      emit: (event) => {
        this.events.push(event);
        this.heard(event);
      },
      removed: new Set(removed),
    });
    scenes.push(this);
  }

  get attached(): boolean {
    return this.node.attachedAt(this.stopwatch.now());
  }

  async started(): Promise<this> {
    this.node.start();
    await this.clock.advance(0);
    return this;
  }

  /** The follower's reading that is under way ends, and the next is in the test's hand. */
  async behind(): Promise<Held<'read'>> {
    const held = this.log.hold('read', 'request');
    await this.clock.advance(500);
    if (!held.asked) throw new Error('the follower did not read on');
    return held;
  }

  /** Invalidates a key, and notes when its receipt says what. */
  write(name: string, notes: string[] = [], lsn?: Lsn): Promise<Receipt> {
    return this.writeAll([key(name)], name, notes, lsn);
  }

  writeAll(targets: readonly Target[], name: string, notes: string[], lsn?: Lsn): Promise<Receipt> {
    // With a cause each is a record of its own.
    const receipt = this.node.invalidate(targets, { lsn, cause: { event: name } });
    const since = this.clock.monotonic();
    void receipt.then(({ status }) => notes.push(`${name} ${status} after ${this.clock.monotonic() - since}`));
    return receipt;
  }

  /** Why an entry of this key may not be served. */
  cover(name: string, mark: number, epoch = this.node.view.epoch): Cover | undefined {
    const { high, low } = keyLabel(name);
    return this.node.view.cover({ epoch, mark, high, low, shared: [] }, name);
  }

  /** The keys of all records in the log, in order. */
  async records(): Promise<string[]> {
    const { epoch } = await this.server.snapshot();
    const { records } = await this.server.read({ epoch, number: 0 }, { wait: 0, limit: 10_000 });
    return records.map(nameOf);
  }

  told(type: NodeEvent['type']): NodeEvent[] {
    return this.events.filter((event) => event.type === type);
  }
}

function nameOf(draft: Draft): string {
  return draft.kind === 'everything' ? 'everything' : (draft.targets ?? []).join('+').replaceAll('key ', '');
}

const scenes: Scene[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.node.close(0);
});

describe('a receipt', () => {
  it('says applied, with the position, once the follower has applied the record', async () => {
    const scene = await new Scene().started();
    const held = await scene.behind();
    const notes: string[] = [];
    const receipt = scene.write('a', notes);
    await scene.clock.advance(100);
    expect(notes).toEqual([]);
    held.release();
    await scene.clock.advance(0);
    expect(notes).toEqual(['a applied after 100']);
    expect(parseToken((await receipt).token)).toEqual({ epoch: scene.node.view.epoch, number: 1 });
  });

  it('says applied in the same turn of the loop where the log is in this process', async () => {
    const scene = await new Scene([], { local: true }).started();
    const receipt = await scene.write('a');
    expect(receipt.status).toBe('applied');
    expect(scene.cover('a', 0)).toBe('label');
    expect(scene.attached).toBe(true);
  });

  it('says appended at once while the follower is down', async () => {
    const scene = await new Scene().started();
    const held = await scene.behind();
    scene.log.read = () => Promise.reject(new Error('cut'));
    scene.log.snapshot = () => Promise.reject(new Error('cut'));
    held.fail(new Error('cut'));
    await scene.clock.advance(0);
    const notes: string[] = [];
    const receipt = scene.write('a', notes);
    await scene.clock.advance(0);
    expect(notes).toEqual(['a appended after 0']);
    expect(parseToken((await receipt).token)?.number).toBe(1);
    expect(scene.cover('a', 0)).toBe('label');
  });

  it('says appended when the follower has not come as far in maxLag', async () => {
    const scene = await new Scene().started();
    await scene.behind();
    const notes: string[] = [];
    void scene.write('a', notes);
    await scene.clock.advance(MAX_LAG);
    expect(notes).toEqual([`a appended after ${MAX_LAG}`]);
  });

  it('says queued, with a token for the source, after the patience; and is not changed by what comes later', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    const notes: string[] = [];
    const receipt = scene.write('a', notes);
    await scene.clock.advance(PATIENCE - 1);
    expect(notes).toEqual([]);
    await scene.clock.advance(1);
    expect(notes).toEqual([`a queued after ${PATIENCE}`]);
    expect(scene.told('queued')).toMatchObject([{ draft: { targets: ['key a'] }, cause: expect.any(Error) }]);
    scene.log.broken = undefined;
    await scene.clock.advance(5_000);
    expect((await receipt).token).toMatch(/^1\.queued\.[0-9a-f]{32}$/);
    expect(notes).toHaveLength(1);
  });

  it('says queued after the patience when the log does not answer at all', async () => {
    const scene = await new Scene().started();
    scene.log.hold('append', 'request');
    const notes: string[] = [];
    void scene.write('a', notes);
    await scene.clock.advance(100);
    void scene.write('b', notes);
    await scene.clock.advance(1_000);
    expect(notes).toEqual([`a queued after ${PATIENCE}`, `b queued after ${PATIENCE}`]);
  });

  it('says applied when the log comes back within the patience', async () => {
    const scene = await new Scene().started();
    scene.log.hold('append').fail(new Error('refused'));
    const notes: string[] = [];
    void scene.write('a', notes);
    await scene.clock.advance(PATIENCE);
    expect(notes).toEqual(['a applied after 10']);
    expect(scene.told('queued')).toEqual([]);
  });
});

describe('an append', () => {
  it('carries all invalidations of one tick, in order', async () => {
    const scene = await new Scene().started();
    await Promise.all([scene.write('a'), scene.write('b'), scene.write('c')]);
    void scene.write('d');
    await scene.clock.advance(0);
    expect(scene.log.appends.map((drafts) => drafts.map(nameOf))).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('carries what came while the one before was under way, in order', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('append');
    void scene.write('a');
    await scene.clock.advance(10);
    void scene.write('b');
    await scene.clock.advance(10);
    void scene.write('c');
    await scene.clock.advance(10);
    expect(scene.log.appends).toHaveLength(1);
    held.release();
    await scene.clock.advance(0);
    expect(scene.log.appends.map((drafts) => drafts.map(nameOf))).toEqual([['a'], ['b', 'c']]);
    expect(await scene.records()).toEqual(['a', 'b', 'c']);
  });

  it('carries at most five hundred', async () => {
    const scene = await new Scene().started();
    for (let i = 0; i < 1_001; i++) void scene.write(`k${i}`);
    await scene.clock.advance(0);
    expect(scene.log.appends.map((drafts) => drafts.length)).toEqual([500, 500, 1]);
    expect(await scene.records()).toEqual(Array.from({ length: 1_001 }, (_, i) => `k${i}`));
  });

  it('whose answer was lost is made again: two records of one message, which is harmless', async () => {
    const scene = await new Scene().started();
    scene.log.hold('append').fail(new Error('connection lost'));
    const receipt = scene.write('a');
    await scene.clock.advance(100);
    expect(await scene.records()).toEqual(['a', 'a']);
    const [first, second] = scene.log.appends.flat();
    expect(first?.id).toBe(second?.id);
    await expect(receipt).resolves.toMatchObject({ status: 'applied' });
    expect(parseToken((await receipt).token)?.number).toBe(2);
    expect(scene.attached).toBe(true);
  });

  it('that is answered after its deadline has been made again by then; the late answer changes nothing', async () => {
    const scene = await new Scene().started();
    const late = scene.log.hold('append');
    const notes: string[] = [];
    void scene.write('a', notes);
    await scene.clock.advance(MAX_LAG + 100);
    expect(scene.log.appends).toHaveLength(2);
    expect(notes).toEqual([`a queued after ${PATIENCE}`]);
    const sent = scene.told('sent');
    late.release();
    await scene.clock.advance(100);
    expect(scene.told('sent')).toEqual(sent);
    expect(scene.node.view.pending.size).toBe(0);
    expect(scene.cover('a', 1)).toBe('label');
    expect(scene.cover('a', 2)).toBeUndefined();
  });

  it('is tried again ever more slowly', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    void scene.write('a');
    await scene.clock.advance(10_000);
    const before = scene.log.count.append;
    await scene.clock.advance(10_000);
    expect(scene.log.count.append - before).toBe(10);
  });

  it('is tried again at once when the follower has copied the log', async () => {
    const scene = await new Scene().started();
    const append = scene.log.append.bind(scene.log);
    scene.log.append = () => Promise.reject(new Error('refused'));
    void scene.write('a');
    await scene.clock.advance(10_000);
    const reading = await scene.behind();
    const copy = scene.log.hold('snapshot');
    scene.log.append = append;
    scene.node.follower.drop();
    reading.release();
    await scene.clock.advance(0);
    expect(scene.log.count.append).toBe(0);
    copy.release();
    await scene.clock.advance(0);
    expect(scene.log.count.append).toBe(1);
    expect(scene.attached).toBe(true);
  });

  it.each([
    ['too few numbers', []],
    ['no number', [Number.NaN]],
    ['a number beyond what a number can hold', [2 ** 53]],
  ])('answered with %s counts as not made: nothing is lost, everybody gets a receipt', async (_what, numbers) => {
    const scene = await new Scene().started();
    scene.log.hold('append').release((appended) => ({ ...appended, numbers }));
    const notes: string[] = [];
    void scene.write('a', notes);
    await scene.clock.advance(100);
    expect(notes).toEqual(['a applied after 10']);
    expect(await scene.records()).toEqual(['a', 'a']);
  });
});

describe('an own record', () => {
  it('covers its targets here as soon as it is appended', async () => {
    const scene = await new Scene().started();
    await scene.behind();
    void scene.write('a');
    await scene.clock.advance(0);
    expect(scene.node.view.applied).toBe(0);
    expect(scene.cover('a', 0)).toBe('label');
    expect(scene.attached).toBe(true);
  });

  it('ownTable: without it an appended record covers nothing until the follower comes', async () => {
    const scene = await new Scene(['ownTable']).started();
    await scene.behind();
    void scene.write('a');
    await scene.clock.advance(0);
    expect(scene.cover('a', 0)).toBeUndefined();
  });

  it('ownWait: without it a receipt says applied although this node has not applied the record', async () => {
    const scene = await new Scene(['ownWait']).started();
    await scene.behind();
    const receipt = await scene.write('a');
    expect(receipt.status).toBe('applied');
    expect(scene.node.view.applied).toBe(0);
  });
});

describe('the queue', () => {
  it('covers its targets whatever their mark, and detaches the node, until the log has taken them', async () => {
    const scene = await new Scene().started();
    await scene.behind();
    const held = scene.log.hold('append', 'request');
    void scene.write('a');
    await scene.clock.advance(PATIENCE);
    expect(scene.cover('a', 2 ** 50)).toBe('queued');
    expect(scene.cover('b', 0)).toBeUndefined();
    expect(scene.attached).toBe(false);
    held.release();
    await scene.clock.advance(0);
    expect(scene.cover('a', 0)).toBe('label');
    expect(scene.cover('a', 1)).toBeUndefined();
    expect(scene.attached).toBe(true);
  });

  it('changes the revision when it begins to cover and when it ends: entries must be tested again', async () => {
    const scene = await new Scene().started();
    await scene.behind();
    const held = scene.log.hold('append', 'request');
    void scene.write('a');
    await scene.clock.advance(PATIENCE - 1);
    const before = scene.node.view.revision;
    await scene.clock.advance(1);
    const covered = scene.node.view.revision;
    expect(covered).toBe(before + 1);
    held.release();
    await scene.clock.advance(0);
    expect(scene.node.view.revision).toBe(covered + 2); // its position, then its leave
  });

  it('queueCovers: without it what was invalidated is served', async () => {
    const scene = await new Scene(['queueCovers']).started();
    await scene.behind();
    scene.log.hold('append', 'request');
    void scene.write('a');
    await scene.clock.advance(PATIENCE);
    expect(scene.cover('a', 0)).toBeUndefined();
    expect(scene.attached).toBe(true);
  });

  it('is replayed in order, before what comes after it', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    void scene.write('a');
    await scene.clock.advance(100);
    void scene.write('b');
    await scene.clock.advance(PATIENCE);
    scene.log.broken = undefined;
    void scene.write('c');
    await scene.clock.advance(2_000);
    expect(await scene.records()).toEqual(['a', 'b', 'c']);
  });

  it('that is full becomes one record of everything, and nobody is left without a receipt', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    const notes: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) void scene.write(name, notes);
    await scene.clock.advance(PATIENCE - 50);
    void scene.write('e', notes);
    let covered: unknown;
    scene.heard = ({ type }) => {
      if (type === 'overflowed') covered = scene.cover('a', 2 ** 50);
    };
    await scene.clock.advance(50);
    expect(covered).toBe('queued');
    expect(notes).toEqual(['a', 'b', 'c', 'd'].map((name) => `${name} queued after ${PATIENCE}`));
    expect(scene.told('overflowed')).toEqual([{ type: 'overflowed', dropped: 4 }]);
    expect(scene.cover('whatever', 2 ** 50)).toBe('queued');
    expect(scene.node.view.pending.size).toBe(1);
    scene.log.broken = undefined;
    await scene.clock.advance(2_000);
    expect(await scene.records()).toEqual(['everything', 'e']);
    expect(scene.cover('whatever', 0)).toBe('floor');
    expect(scene.attached).toBe(true);
  });

  it('that is full says that the commits behind it have no known bound', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    for (const name of ['a', 'b', 'c', 'd']) void scene.write(name, [], 77n);
    await scene.clock.advance(PATIENCE);
    scene.log.broken = undefined;
    await scene.clock.advance(2_000);
    expect(scene.node.view.lsn).toBe('unknown');
  });

  it('that is just not full stays as it is', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    for (const name of ['a', 'b', 'c']) void scene.write(name);
    await scene.clock.advance(PATIENCE);
    expect(scene.told('overflowed')).toEqual([]);
    scene.log.broken = undefined;
    await scene.clock.advance(2_000);
    expect(await scene.records()).toEqual(['a', 'b', 'c']);
  });

  it('that overflows does not delay the receipts of those behind it', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    const notes: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) void scene.write(name);
    await scene.clock.advance(PATIENCE - 50);
    void scene.write('e', notes);
    await scene.clock.advance(1_000);
    expect(notes).toEqual([`e queued after ${PATIENCE}`]);
  });

  it('that overflows while an append is under way loses nothing, whatever becomes of the append', async () => {
    for (const fails of [true, false]) {
      const scene = await new Scene().started();
      const held = scene.log.hold('append', 'request');
      void scene.write('a');
      await scene.clock.advance(1);
      for (const name of ['b', 'c', 'd']) void scene.write(name);
      await scene.clock.advance(PATIENCE);
      expect(scene.told('overflowed')).toEqual([{ type: 'overflowed', dropped: 4 }]);
      if (fails) held.fail(new Error('refused'));
      else held.release();
      await scene.clock.advance(1_000);
      expect(await scene.records()).toEqual(fails ? ['everything'] : ['a', 'everything']);
      expect(scene.cover('b', 0)).toBe('floor');
      expect(scene.node.view.pending.size).toBe(0);
    }
  });

  it('does not count what the log has taken', async () => {
    const scene = new Scene();
    const copy = scene.log.hold('snapshot', 'request');
    scene.node.start();
    for (let i = 0; i < 20; i++) void scene.write(`k${i}`);
    await scene.clock.advance(0);
    expect(scene.node.view.pending.size).toBe(20);
    scene.log.hold('append').fail(new Error('refused'));
    void scene.write('z');
    await scene.clock.advance(PATIENCE);
    expect(scene.told('overflowed')).toEqual([]);
    copy.release();
    await scene.clock.advance(1_000);
    expect(scene.attached).toBe(true);
  });
});

describe('another epoch', () => {
  it('in an append, before the follower knows it: the targets stay covered, the node detaches until it has adopted it', async () => {
    const scene = await new Scene().started();
    const before = scene.node.view.epoch;
    const reading = await scene.behind();
    const copy = scene.log.hold('snapshot', 'request');
    scene.server.beginEpoch();
    const receipt = scene.write('a');
    await scene.clock.advance(0);
    expect(scene.cover('a', 2 ** 50)).toBe('queued');
    expect(scene.attached).toBe(false);
    expect(scene.node.follower.state).toBe('copying');
    reading.release();
    await scene.clock.advance(0);
    copy.release();
    await scene.clock.advance(0);
    const { epoch } = scene.node.view;
    expect(epoch).not.toBe(before);
    await expect(receipt).resolves.toMatchObject({ status: 'applied' });
    expect(parseToken((await receipt).token)).toEqual({ epoch, number: 1 });
    expect(scene.cover('a', 0)).toBe('label');
    expect(scene.cover('a', 1)).toBeUndefined();
    expect(scene.attached).toBe(true);
    expect(await scene.records()).toEqual(['a']);
  });

  it('in an append, which the follower cannot adopt: the receipt says appended, and no more', async () => {
    const scene = await new Scene().started();
    await scene.behind();
    scene.server.beginEpoch();
    const notes: string[] = [];
    const receipt = scene.write('a', notes);
    await scene.clock.advance(MAX_LAG);
    expect(notes).toEqual([`a appended after ${MAX_LAG}`]);
    const { epoch } = await scene.server.snapshot();
    expect(parseToken((await receipt).token)).toEqual({ epoch, number: 1 });
    expect(scene.cover('a', 2 ** 50)).toBe('queued');
  });

  it('and yet another, both seen by appends alone: the copy between the two is not used', async () => {
    const scene = await new Scene().started();
    const reading = await scene.behind();
    const between = scene.log.hold('snapshot');
    const last = scene.log.hold('snapshot', 'request');
    scene.server.beginEpoch();
    void scene.write('a');
    await scene.clock.advance(0);
    reading.release();
    await scene.clock.advance(0);
    expect(between.asked).toBe(true);
    scene.server.beginEpoch();
    const { epoch } = await scene.server.snapshot();
    void scene.write('b');
    await scene.clock.advance(0);
    between.release();
    await scene.clock.advance(0);
    expect(scene.told('epoch')).toHaveLength(1);
    last.release();
    await scene.clock.advance(100);
    expect(scene.node.view.epoch).toBe(epoch);
    expect(scene.cover('b', 0)).toBe('label');
    expect(await scene.records()).toEqual(['b', 'a']);
    expect(scene.attached).toBe(true);
  });

  it('crossedEpoch: without it a copy that was asked for before the append hides the record', async () => {
    for (const removed of [[], ['crossedEpoch' as const]]) {
      const scene = await new Scene(removed).started();
      const reading = await scene.behind();
      const old = scene.log.hold('snapshot');
      scene.server.beginEpoch();
      reading.release();
      await scene.clock.advance(0);
      expect(old.asked).toBe(true);
      scene.log.hold('read', 'request');
      void scene.write('a');
      await scene.clock.advance(0);
      old.release();
      await scene.clock.advance(0);
      expect(scene.attached && scene.cover('a', 0) === undefined).toBe(removed.length > 0);
    }
  });

  it('drops the answers under way for its first append only: a node that writes all the time still gets its copy', async () => {
    const scene = new Scene();
    const first = scene.log.hold('snapshot');
    const second = scene.log.hold('snapshot');
    await scene.started();
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) {
      void scene.write(name);
      await scene.clock.advance(20);
    }
    first.release();
    await scene.clock.advance(100);
    for (const name of ['e', 'f']) {
      void scene.write(name);
      await scene.clock.advance(20);
    }
    expect(second.asked).toBe(true);
    second.release();
    await scene.clock.advance(1);
    expect(scene.log.count.snapshot).toBe(2);
    expect(scene.attached).toBe(true);
    for (const name of [...names, 'e', 'f']) expect(scene.cover(name, 0)).toBe('label');
    expect(await scene.records()).toEqual([...names, 'e', 'f']);
  });

  it('that ends after more than a queue of unconfirmed own records: one of everything stands for them', async () => {
    const scene = await new Scene().started();
    const reading = await scene.behind();
    reading.fail(new Error('cut'));
    scene.log.hold('snapshot', 'request');
    await scene.clock.advance(100);
    for (let i = 0; i <= MAX_QUEUE * 30; i++) {
      void scene.write(`k${i}`);
      await scene.clock.advance(1);
    }
    scene.server.beginEpoch();
    await scene.clock.advance(MAX_LAG * 10);
    const records = await scene.records();
    expect(records[0]).toBe('everything');
    expect(records.length).toBeLessThanOrEqual(MAX_QUEUE * 2 + 2);
    // They had been put together long before: no more came back than the queue holds.
    expect(scene.told('overflowed')).toEqual([]);
    expect(scene.attached).toBe(true);
  });

  it('that ends while a receipt is still to come leaves nobody waiting, whatever stands for the others', async () => {
    const scene = await new Scene().started();
    const reading = await scene.behind();
    const notes: string[] = [];
    void scene.write('a', notes);
    await scene.clock.advance(0);
    scene.log.broken = new Error('refused');
    for (const name of ['b', 'c', 'd']) void scene.write(name);
    await scene.clock.advance(PATIENCE);
    scene.log.broken = undefined;
    await scene.clock.advance(1_000);
    expect(notes).toEqual([]);
    scene.server.beginEpoch();
    reading.release();
    await scene.clock.advance(100);
    expect(notes).toHaveLength(1);
    expect((await scene.records()).sort()).toEqual(['a', 'everything']);
  });

  it('that ends when only the oldest of such records was confirmed: the one of everything stands for the newest', async () => {
    const scene = await new Scene().started();
    const reading = await scene.behind();
    void scene.write('a');
    await scene.clock.advance(0);
    scene.log.broken = new Error('refused');
    for (const name of ['b', 'c', 'd']) void scene.write(name);
    await scene.clock.advance(PATIENCE); // these have their receipts before they have positions, `a` has not
    scene.log.broken = undefined;
    await scene.clock.advance(MAX_LAG - PATIENCE); // `a` is appended for good
    expect(scene.log.appends.flat().map(nameOf).slice(-3)).toEqual(['b', 'c', 'd']);
    for (const name of ['e', 'f', 'g']) void scene.write(name);
    await scene.clock.advance(0);
    scene.log.hold('read', 'request').fail(new Error('closed'));
    scene.log.hold('snapshot', 'request');
    reading.release((all) => ({ ...all, head: 1, records: all.records.slice(0, 1) }));
    await scene.clock.advance(0);
    expect(scene.node.view.applied).toBe(1);
    scene.server.beginEpoch();
    await scene.clock.advance(5_000);
    expect(await scene.records()).toEqual(['everything']);
  });

  it('that is over by the time an append is answered in it: the record is sent again', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('append');
    const notes: string[] = [];
    void scene.write('a', notes);
    await scene.clock.advance(1);
    scene.server.beginEpoch();
    await scene.clock.advance(1);
    expect(scene.attached).toBe(true);
    held.release();
    await scene.clock.advance(0);
    expect(scene.cover('a', 2 ** 50)).toBe('queued');
    await scene.clock.advance(1_000);
    expect(await scene.records()).toEqual(['a']);
    expect(scene.node.view.pending.size).toBe(0);
    expect(scene.attached).toBe(true);
    expect(notes).toEqual([expect.stringMatching(/^a queued/)]);
  });

  it('that was over never makes a receipt say appended, however patient the writer is', async () => {
    const scene = await new Scene([], { patience: 10_000 }).started();
    const held = scene.log.hold('append');
    const notes: string[] = [];
    const receipt = scene.write('a', notes);
    await scene.clock.advance(1);
    scene.server.beginEpoch();
    await scene.clock.advance(1);
    held.release();
    await scene.clock.advance(0);
    scene.log.append = () => Promise.reject(new Error('refused'));
    await scene.clock.advance(10_000);
    expect(notes).toEqual(['a queued after 10000']);
    expect((await receipt).token).toMatch(/^1\.queued\.[0-9a-f]{32}$/);
  });

  it('at the other end of every append does not make it send in a loop', async () => {
    const scene = await new Scene().started();
    const append = scene.log.append.bind(scene.log);
    scene.log.append = async (drafts) => ({ ...(await append(drafts)), epoch: 'c'.repeat(16) });
    void scene.write('a');
    await scene.clock.advance(20_000);
    expect(scene.log.count.append).toBeLessThan(30);
    expect(scene.cover('a', 2 ** 50)).toBe('queued');
    expect(scene.attached).toBe(false);
    scene.log.append = append;
    await scene.clock.advance(3_000);
    expect(scene.attached).toBe(true);
  });

  it('makes it send own records again that no proven head has passed, and cover them before it is adopted', async () => {
    const scene = await new Scene().started();
    const reading = await scene.behind();
    const notes: string[] = [];
    const receipt = scene.write('a', notes);
    await scene.clock.advance(0);
    const seen: unknown[] = [];
    scene.heard = ({ type }) => {
      if (type === 'epoch') seen.push(scene.cover('a', 2 ** 50), scene.attached);
    };
    scene.log.hold('append', 'request').fail(new Error('refused'));
    scene.server.beginEpoch();
    reading.release();
    await scene.clock.advance(0);
    expect(seen).toEqual(['queued', false]);
    expect(scene.cover('a', 2 ** 50)).toBe('queued');
    await scene.clock.advance(500);
    expect(await scene.records()).toEqual(['a']);
    expect(parseToken((await receipt).token)).toEqual({ epoch: scene.node.view.epoch, number: 1 });
    expect(notes).toEqual(['a applied after 10']);
  });

  it('does not make it send again what a proven head has passed', async () => {
    const scene = await new Scene().started();
    await scene.write('a');
    await scene.clock.advance(600);
    scene.server.beginEpoch();
    await scene.clock.advance(600);
    expect(scene.log.appends).toHaveLength(1);
  });

  it('makes it send again what came after the head that was proven', async () => {
    const scene = await new Scene().started();
    const early = scene.log.hold('read');
    await scene.clock.advance(500);
    void scene.write('a');
    await scene.clock.advance(0);
    const next = scene.log.hold('read', 'request');
    early.release();
    await scene.clock.advance(0);
    scene.server.beginEpoch();
    next.release();
    await scene.clock.advance(100);
    expect(await scene.records()).toEqual(['a']);
  });

  it('makes it send again before what was written since', async () => {
    const scene = await new Scene().started();
    const reading = await scene.behind();
    void scene.write('a');
    await scene.clock.advance(0);
    scene.log.hold('append', 'request').fail(new Error('refused'));
    void scene.write('b');
    await scene.clock.advance(1);
    scene.server.beginEpoch();
    reading.release();
    await scene.clock.advance(500);
    expect(await scene.records()).toEqual(['a', 'b']);
  });

  it('that makes it send more again than the queue holds becomes one record of everything, with a receipt for each', async () => {
    const scene = await new Scene().started();
    const reading = await scene.behind();
    const notes: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) void scene.write(name, notes);
    await scene.clock.advance(0);
    expect(notes).toEqual([]);
    scene.server.beginEpoch();
    reading.release();
    await scene.clock.advance(100);
    expect(notes).toEqual(['a', 'b', 'c', 'd'].map((name) => `${name} queued after 0`));
    expect(await scene.records()).toEqual(['everything']);
  });

  it('makes it send again what was applied here, but only from a log that proves nothing', async () => {
    const scene = await new Scene().started();
    scene.log.proves = false;
    await scene.clock.advance(500);
    await scene.write('a');
    scene.server.beginEpoch();
    await scene.clock.advance(600);
    expect(await scene.records()).toEqual(['a']);
  });

  it('and yet another: what was appended in the one between is sent again', async () => {
    const scene = await new Scene().started();
    const reading = await scene.behind();
    scene.server.beginEpoch();
    const receipt = scene.write('a');
    const copy = scene.log.hold('snapshot', 'request');
    await scene.clock.advance(0);
    scene.server.beginEpoch();
    reading.release();
    await scene.clock.advance(0);
    copy.release();
    await scene.clock.advance(600);
    expect(await scene.records()).toEqual(['a']);
    expect(parseToken((await receipt).token)?.epoch).toBe(scene.node.view.epoch);
  });

  it('appendAgain: without it the record is lost, and its receipt says applied', async () => {
    const scene = await new Scene(['appendAgain']).started();
    const reading = await scene.behind();
    const receipt = scene.write('a');
    await scene.clock.advance(0);
    scene.server.beginEpoch();
    reading.release();
    await scene.clock.advance(1_000);
    expect(await scene.records()).toEqual([]);
    await expect(receipt).resolves.toMatchObject({ status: 'applied' });
  });

  it('requeueFirst: without it an own record covers nothing just after the adoption', async () => {
    const scene = await new Scene(['requeueFirst']).started();
    const reading = await scene.behind();
    void scene.write('a');
    await scene.clock.advance(0);
    scene.server.beginEpoch();
    reading.release();
    await scene.clock.advance(0);
    expect(scene.attached).toBe(true);
    expect(scene.cover('a', 0)).toBeUndefined();
  });
});

describe('close', () => {
  it('sends what waits, and says that nothing is left', async () => {
    const scene = await new Scene().started();
    const notes: string[] = [];
    void scene.write('a', notes);
    await expect(scene.node.close(1_000)).resolves.toBe(0);
    expect(await scene.records()).toEqual(['a']);
    await scene.log.close();
    await scene.clock.advance(0);
    expect(notes).toEqual(['a applied after 0']);
    expect(scene.clock.timers).toBe(0);
  });

  it('waits no longer than it was given, and says how many are left; they are queued', async () => {
    const scene = await new Scene().started();
    scene.log.hold('append', 'request');
    const notes: string[] = [];
    void scene.write('a', notes);
    void scene.write('b', notes);
    const closed = scene.node.close(100);
    await scene.clock.advance(99);
    expect(notes).toEqual([]);
    await scene.clock.advance(1);
    await expect(closed).resolves.toBe(2);
    expect(notes).toEqual(['a queued after 100', 'b queued after 100']);
    await scene.clock.advance(MAX_LAG);
    expect(scene.clock.timers).toBe(0);
  });

  it('does not sleep through its time in a pause between attempts', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    void scene.write('a');
    await scene.clock.advance(60_000);
    scene.log.broken = undefined;
    const closed = scene.node.close(50);
    await scene.clock.advance(50);
    await expect(closed).resolves.toBe(0);
  });

  it('waits for nothing where nothing may be waited for', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    void scene.write('a');
    await scene.clock.advance(10_000);
    await expect(scene.node.close(0)).resolves.toBe(1);
    expect(scene.clock.timers).toBe(0);
  });

  it('lets nobody wait who writes afterwards', async () => {
    const scene = await new Scene().started();
    await scene.node.close(0);
    await expect(scene.write('a')).resolves.toMatchObject({ status: 'queued' });
    expect(scene.log.appends).toEqual([]);
  });

  it('lets nobody wait whose record is lost with an epoch that is adopted at this very moment', async () => {
    // Between the end of the writer and that of the follower there are a few microtasks: try each.
    for (let microtasks = 0; microtasks < 16; microtasks++) {
      const scene = await new Scene().started();
      const reading = await scene.behind();
      const copy = scene.log.hold('snapshot');
      const notes: string[] = [];
      void scene.write('a', notes);
      await scene.clock.advance(0);
      scene.server.beginEpoch();
      reading.release();
      await scene.clock.advance(0);
      copy.release();
      for (let i = 0; i < microtasks; i++) await Promise.resolve();
      const closed = scene.node.close(0);
      await scene.clock.advance(10_000);
      await closed;
      expect(notes).toHaveLength(1);
    }
  });

  it('takes no answer any more that arrives later', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('append');
    const receipt = scene.write('a');
    const closed = scene.node.close(10);
    await scene.clock.advance(10);
    await closed;
    held.release();
    await scene.clock.advance(0);
    await expect(receipt).resolves.toMatchObject({ status: 'queued' });
    expect(scene.log.appends).toHaveLength(1);
  });
});
