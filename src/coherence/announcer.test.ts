import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { ScriptedLog } from '../testing/scripted-log.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import type { Announced } from './announcer.ts';
import type { Guard } from './guards.ts';
import { keyLabel } from './label.ts';
import { logOptions } from './log-options.ts';
import { MemoryLog } from './memory-log.ts';
import { Node } from './node.ts';
import type { NodePresence, Presence, Roll } from './presence.ts';
import type { LogRecord } from './record.ts';
import { Stopwatch } from './stopwatch.ts';
import { everything, key, pattern, tag, type Target } from './target.ts';

const MAX_LAG = 2_000;
const ID = 'ab'.repeat(16);
const TARGETS = [key('a'), tag('t')];

/** Says that the nodes that a test has set have applied what it says. */
class List implements Presence {
  nodes: NodePresence[] = [];
  broken = false;
  readonly register = (): Promise<void> => Promise.resolve();
  readonly remove = (): Promise<void> => Promise.resolve();

  list(): Promise<Roll> {
    if (this.broken) return Promise.reject(new Error('no server'));
    return Promise.resolve({ id: 'one', longest: MAX_LAG, nodes: this.nodes });
  }
}

/** One node that announces; another one is what the list says. */
class Scene {
  readonly clock = new FakeClock(1_000_000);
  readonly stopwatch = new Stopwatch(this.clock);
  readonly list = new List();
  readonly server: MemoryLog;
  readonly log: ScriptedLog;
  readonly node: Node;
  readonly applied: LogRecord[] = [];

  constructor({ local = false, without = [] as Guard[] } = {}) {
    const options = logOptions({ slots: 256, maxLag: MAX_LAG });
    const random = new SeededRandom(11).next;
    this.server = new MemoryLog(options, { clock: this.clock, stopwatch: this.stopwatch, random });
    this.log = new ScriptedLog(this.server, () => this.stopwatch.now());
    this.node = new Node({
      name: 'shop',
      clock: this.clock,
      stopwatch: this.stopwatch,
      random,
      log: local ? this.server : this.log,
      presence: local ? undefined : this.list,
      tolerance: 0,
      options,
      patience: 250,
      maxQueue: 3,
      strict: true,
      emit: (event) => {
        if (event.type === 'applied') this.applied.push(event.record);
      },
      removed: new Set(without),
    });
    scenes.push(this);
  }

  get attached(): boolean {
    return this.node.attachedAt(this.stopwatch.now());
  }

  /** Ids of what is open in the log. */
  async open(): Promise<string[]> {
    return (await this.server.snapshot()).announcements.map((it) => it.id);
  }

  /** What the log holds, as kind and id, as far as this node has applied it. */
  kinds(): string[] {
    return this.applied.map(({ kind }) => kind);
  }

  async started(): Promise<this> {
    this.node.start();
    // The list has been known for long.
    await this.clock.advance(10_000);
    return this;
  }

  /** The other node has applied everything that is in the log now. */
  async follow(): Promise<void> {
    const { epoch, head } = await this.server.snapshot();
    this.list.nodes = [{ node: 'shop#other', applied: { epoch, number: head } }];
  }

  /** Announces, with the other node following. */
  async announced(targets: readonly Target[] = TARGETS): Promise<Announced> {
    this.list.nodes = [];
    const write = this.node.announce(targets, { id: ID }, 5_000);
    await this.clock.advance(10);
    return write;
  }

  /** The log begins another epoch, which this node adopts if it can. */
  async nextEpoch(): Promise<void> {
    this.server.beginEpoch();
    await this.clock.advance(MAX_LAG);
  }

  /** Until this node has just adopted the epoch of the log. */
  async adopted(): Promise<void> {
    const { epoch } = await this.server.snapshot();
    for (let ms = 0; ms < MAX_LAG && this.node.view.epoch !== epoch; ms++) await this.clock.advance(1);
    if (this.node.view.epoch !== epoch) throw new Error('the node has not adopted the epoch of the log');
  }

  /** How often an announcement was sent. */
  get announcements(): number {
    return this.log.appends.flat().filter(({ kind }) => kind === 'announce').length;
  }
}

/** What a promise has come to so far. */
function watched<T>(promise: Promise<T>): { now: T | Error | 'waits' } {
  const state: { now: T | Error | 'waits' } = { now: 'waits' };
  promise.then(
    (value) => {
      state.now = value;
    },
    (error: Error) => {
      state.now = error;
    },
  );
  return state;
}

const scenes: Scene[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.node.close(0);
});

describe('announce', () => {
  it('resolves once the other node has applied the announcement', async () => {
    const scene = await new Scene().started();
    await scene.follow();
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    await scene.clock.advance(1_000);
    expect(state.now).toBe('waits');
    expect(await scene.open()).toEqual([ID]);
    await scene.follow();
    await scene.clock.advance(50);
    expect(state.now).toMatchObject({ id: ID });
    expect(scene.applied).toMatchObject([{ kind: 'announce', id: ID, confirm: true, targets: ['key a', 'tag t'] }]);
  });

  it('strictConfirm: without it nobody is waited for', async () => {
    const scene = await new Scene({ without: ['strictConfirm'] }).started();
    await scene.follow();
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    await scene.clock.advance(10);
    expect(state.now).toMatchObject({ id: ID });
  });

  it('resolves when a node that does not answer must have stopped serving', async () => {
    const scene = await new Scene().started();
    await scene.follow();
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    await scene.clock.advance(MAX_LAG + 40);
    expect(state.now).toBe('waits');
    await scene.clock.advance(100);
    expect(state.now).toMatchObject({ id: ID });
  });

  it('does not resolve before this node withholds it too', async () => {
    const scene = await new Scene().started();
    await scene.clock.advance(450); // the reading under way ends soon
    const held = scene.log.hold('read');
    await scene.clock.advance(100);
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    await scene.clock.advance(1_000);
    expect(await scene.open()).toEqual([ID]);
    expect(state.now).toBe('waits');
    held.release();
    await scene.clock.advance(100);
    expect(scene.node.view.announcements.size).toBe(1);
    expect(state.now).toMatchObject({ id: ID });
  });

  it('does not resolve while this node may be cut off, whoever has confirmed it', async () => {
    const scene = await new Scene().started();
    await scene.follow();
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    await scene.clock.advance(10);
    scene.log.broken = new Error('no server');
    await scene.clock.advance(600);
    await scene.follow();
    await scene.clock.advance(100);
    expect(state.now).toBe('waits');
    scene.log.broken = undefined;
    await scene.clock.advance(1_500);
    expect(state.now).toMatchObject({ id: ID });
  });

  it('rejects after its time, having closed what it announced', async () => {
    const scene = await new Scene().started();
    await scene.follow();
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 500));
    await scene.clock.advance(510);
    expect(state.now).toMatchObject({
      code: 'NOT_CONFIRMED',
      message: expect.stringContaining('in 500 ms: a node may'),
    });
    expect(await scene.open()).toEqual([]);
    expect(scene.applied).toMatchObject([
      { kind: 'announce', id: ID },
      { kind: 'close', closes: ID, labels: [keyLabel('a'), expect.anything()] },
    ]);
  });

  it('rejects where the list of nodes cannot be read', async () => {
    const scene = await new Scene().started();
    scene.list.broken = true;
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    await scene.clock.advance(5_100);
    expect(state.now).toMatchObject({ code: 'NOT_CONFIRMED' });
    expect(await scene.open()).toEqual([]);
  });

  it('announces nothing while the node is not attached, and does when it is again', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('no server');
    await scene.clock.advance(MAX_LAG + 600);
    const before = scene.log.count.append;
    const late = watched(scene.node.announce(TARGETS, {}, 1_000));
    await scene.clock.advance(1_100);
    expect(late.now).toMatchObject({ code: 'NOT_CONFIRMED', message: expect.stringContaining('not attached') });
    expect(scene.log.count.append).toBe(before);
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    scene.log.broken = undefined;
    await scene.clock.advance(3_000);
    expect(state.now).toMatchObject({ id: ID });
  });

  it('refuses an id that is in use', async () => {
    const scene = await new Scene().started();
    await scene.announced();
    await expect(scene.node.announce(TARGETS, { id: ID }, 100)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  it('names every key where everything is announced', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced([key('a'), everything()]);
    const marked = { epoch: scene.node.view.epoch, mark: 1, ...keyLabel('b:c'), shared: [] };
    expect(scene.node.view.cover(marked, 'b:c')).toBe('announcement');
    void write.commit({});
    await scene.clock.advance(10);
    expect(scene.node.view.cover(marked, 'b:c')).toBe('ban');
  });

  it('ends with the node', async () => {
    const scene = await new Scene().started();
    await scene.follow();
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    await scene.clock.advance(10);
    await scene.node.close(0);
    await scene.clock.advance(0);
    expect(state.now).toMatchObject({ code: 'CLOSED' });
  });

  it('waits for nobody where the log is in this process', async () => {
    const scene = new Scene({ local: true });
    scene.node.start();
    const write = await scene.node.announce(TARGETS, {}, 1_000);
    expect(scene.node.view.announcements.size).toBe(1);
    expect(await write.commit({})).toMatchObject({ status: 'applied', strict: true });
    expect(scene.node.view.announcements.size).toBe(0);
    expect(scene.node.view.age?.young).toBe(false);
  });
});

describe('a commit', () => {
  it('returns when its record is appended, in the epoch in which all have confirmed', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    await scene.follow(); // and no further
    const held = scene.log.hold('append', 'request');
    const state = watched(write.commit({ lsn: 7n, cause: { event: 'paid' } }));
    await scene.clock.advance(200);
    expect(state.now).toBe('waits');
    held.release();
    await scene.clock.advance(10);
    expect(state.now).toMatchObject({ status: 'applied', strict: true });
    expect(scene.applied.at(-1)).toMatchObject({ kind: 'close', closes: ID, lsn: 7n, cause: { event: 'paid' } });
    expect(await scene.open()).toEqual([]);
  });

  it('returnAppended: without it nothing is waited for', async () => {
    const scene = await new Scene({ without: ['returnAppended'] }).started();
    const write = await scene.announced();
    scene.log.hold('append', 'request');
    const state = watched(write.commit({}));
    await scene.clock.advance(1);
    expect(state.now).toMatchObject({ strict: true });
  });

  it('says that it is not strict where the log does not take its record, and appends it later', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    scene.log.broken = new Error('no server');
    const state = watched(write.commit({}));
    await scene.clock.advance(MAX_LAG);
    expect(state.now).toBe('waits');
    await scene.clock.advance(400);
    expect(state.now).toMatchObject({ status: 'queued', strict: false });
    scene.log.broken = undefined;
    await scene.clock.advance(3_000);
    expect(await scene.open()).toEqual([]);
    expect(scene.attached).toBe(true);
  });

  it('waits longer than its patience for the log to take its record', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    scene.log.broken = new Error('no server');
    const state = watched(write.commit({}));
    await scene.clock.advance(1_000);
    scene.log.broken = undefined;
    await scene.clock.advance(1_000);
    expect(state.now).toMatchObject({ status: 'appended', strict: true });
  });

  it('in another epoch waits until every node has applied the record', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    await scene.nextEpoch();
    await scene.follow();
    const state = watched(write.commit({}));
    await scene.clock.advance(1_000);
    expect(state.now).toBe('waits');
    expect(scene.applied.at(-1)).toMatchObject({ kind: 'close', confirm: true });
    await scene.follow();
    await scene.clock.advance(50);
    expect(state.now).toMatchObject({ status: 'applied', strict: true });
  });

  it('returnConfirmed: without it nobody is waited for', async () => {
    const scene = await new Scene({ without: ['returnConfirmed'] }).started();
    const write = await scene.announced();
    await scene.nextEpoch();
    await scene.follow();
    const state = watched(write.commit({}));
    await scene.clock.advance(10);
    expect(state.now).toMatchObject({ strict: true });
  });

  it('after somebody else has closed it appends its record all the same, and waits for every node', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    await scene.server.append([{ ...FOREIGN, labels: [keyLabel('a')] }]);
    await scene.clock.advance(10);
    await scene.follow();
    const state = watched(write.commit({}));
    await scene.clock.advance(100);
    expect(scene.kinds()).toEqual(['announce', 'close', 'close']);
    expect(state.now).toBe('waits');
    await scene.follow();
    await scene.clock.advance(50);
    expect(state.now).toMatchObject({ strict: true });
  });

  it('that follows a rollback covers what it names all the same', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    void write.close();
    await scene.clock.advance(10);
    await scene.follow();
    const state = watched(write.commit({}));
    await scene.clock.advance(100);
    expect(scene.kinds()).toEqual(['announce', 'close', 'close']);
    expect(state.now).toBe('waits');
  });
});

describe('an announcement that is open', () => {
  it('is made again in another epoch, before its node attaches there', async () => {
    const scene = await new Scene().started();
    await scene.announced();
    const held = scene.log.hold('append', 'request');
    scene.server.beginEpoch();
    await scene.adopted();
    expect(scene.attached).toBe(false);
    await scene.clock.advance(200);
    expect(scene.attached).toBe(false);
    held.release();
    await scene.clock.advance(10);
    expect(scene.attached).toBe(true);
    expect(await scene.open()).toEqual([ID]);
    await scene.nextEpoch();
    expect(await scene.open()).toEqual([ID]);
  });

  it('reannounce: without it another epoch knows nothing of it', async () => {
    const scene = await new Scene({ without: ['reannounce'] }).started();
    await scene.announced();
    await scene.nextEpoch();
    expect(scene.attached).toBe(true);
    expect(await scene.open()).toEqual([]);
  });

  it('is made again in an epoch that an append has shown, once', async () => {
    const scene = await new Scene().started();
    await scene.announced();
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(600);
    scene.server.beginEpoch();
    void scene.node.invalidate([key('b')]);
    await scene.clock.advance(100);
    held.release();
    await scene.clock.advance(1_000);
    expect(await scene.open()).toEqual([ID]);
    expect(scene.attached).toBe(true);
    expect(scene.announcements).toBe(2);
  });

  it('is made once where epochs end before the log has taken it', async () => {
    const scene = await new Scene().started();
    await scene.announced();
    const held = scene.log.hold('append', 'request');
    for (let epochs = 0; epochs < 2; epochs++) {
      scene.server.beginEpoch();
      await scene.adopted();
    }
    held.release();
    await scene.clock.advance(10);
    expect(scene.announcements).toBe(2);
    expect(await scene.open()).toEqual([ID]);
  });

  it('is made again where the answer of its append comes from an epoch that is over by then', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('append');
    const state = watched(scene.node.announce(TARGETS, { id: ID }, 5_000));
    await scene.clock.advance(10);
    scene.server.beginEpoch();
    await scene.adopted();
    held.release();
    await scene.clock.advance(MAX_LAG / 2);
    expect(await scene.open()).toEqual([ID]);
    await scene.clock.advance(MAX_LAG + 100);
    expect(state.now).toMatchObject({ id: ID });
  });

  it('is not made again behind the record that has closed it, however many epochs end meanwhile', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    scene.server.beginEpoch();
    const announced = scene.log.hold('append', 'request');
    await scene.adopted();
    scene.log.hold('snapshot', 'request');
    const copy = scene.log.hold('snapshot', 'request');
    scene.server.beginEpoch();
    announced.release(); // answered in an epoch that this node does not know
    await scene.clock.advance(1);
    void write.commit({});
    scene.server.beginEpoch();
    await scene.clock.advance(1); // and so is this, in yet another
    copy.release();
    await scene.clock.advance(MAX_LAG * 2);
    expect(scene.log.appends.flat().map(({ kind }) => kind)).toEqual(['announce', 'announce', 'close']);
    expect(scene.node.view.epoch).toBe((await scene.server.snapshot()).epoch);
    expect(await scene.open()).toEqual([]);
    expect(scene.attached).toBe(true);
  });

  it('is not made again once it was closed, by whomever', async () => {
    const scene = await new Scene().started();
    await scene.announced();
    await scene.server.append([{ ...FOREIGN }]);
    await scene.clock.advance(10);
    await scene.nextEpoch();
    expect(await scene.open()).toEqual([]);
  });

  it('is not made again where a copy of its epoch does not list it any more', async () => {
    const scene = await new Scene().started();
    await scene.announced();
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(600);
    await scene.server.append([{ ...FOREIGN }]);
    scene.server.trim(10);
    held.release();
    await scene.clock.advance(600);
    expect(scene.node.view.announcements.size).toBe(0);
    await scene.nextEpoch();
    expect(await scene.open()).toEqual([]);
  });

  it('is not made again while the record that closes it waits: that covers here until it is appended', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    const held = scene.log.hold('append', 'request');
    void write.commit({});
    await scene.clock.advance(10);
    const next = scene.log.hold('append', 'request');
    held.fail(new Error('connection lost'));
    scene.server.beginEpoch();
    await scene.clock.advance(200); // within the patience of its receipt
    const reading = scene.node.view.epoch === (await scene.server.snapshot()).epoch;
    await scene.clock.advance(reading ? 0 : 400);
    expect(scene.node.view.epoch).toBe((await scene.server.snapshot()).epoch);
    expect(scene.attached).toBe(false);
    next.release();
    await scene.clock.advance(600);
    expect(scene.attached).toBe(true);
    expect(scene.kinds().filter((kind) => kind === 'announce')).toHaveLength(1);
    expect(await scene.open()).toEqual([]);
  });

  it('that the log takes late, behind the record that has closed it, is closed again', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    void write.commit({});
    await scene.clock.advance(10);
    expect(await scene.open()).toEqual([]);
    await scene.server.append([{ ...FOREIGN, kind: 'announce', id: ID, closes: undefined, patterns: ['p*'] }]);
    await scene.clock.advance(10);
    expect(scene.kinds()).toEqual(['announce', 'close', 'announce', 'close']);
    expect(scene.applied.at(-1)).toMatchObject({ closes: ID, patterns: ['p*'] });
    expect(await scene.open()).toEqual([]);
  });

  it('that a copy still lists is closed again', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced();
    void write.commit({});
    await scene.clock.advance(10);
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(600);
    await scene.server.append([{ ...FOREIGN, kind: 'announce', id: ID, closes: undefined }]);
    scene.server.trim(10);
    held.release();
    await scene.clock.advance(600);
    expect(await scene.open()).toEqual([]);
  });

  it('and what closes it stay in a queue that is full', async () => {
    const scene = await new Scene().started();
    const write = await scene.announced([pattern('x*')]);
    scene.log.broken = new Error('no server');
    void write.close();
    for (const name of ['b', 'c', 'd', 'e', 'f']) {
      void scene.node.invalidate([key(name)], { cause: { event: name } });
      await scene.clock.advance(1);
    }
    await scene.clock.advance(300);
    scene.log.broken = undefined;
    await scene.clock.advance(3_000);
    expect(scene.kinds()).toEqual(['announce', 'everything', 'close', 'invalidate']);
    expect(await scene.open()).toEqual([]);
  });
});

const FOREIGN = {
  kind: 'close',
  id: 'cd'.repeat(16),
  closes: ID as string | undefined,
  origin: 'relay',
  labels: [] as ReturnType<typeof keyLabel>[],
  patterns: [] as string[],
  time: 0,
} as const;
