import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { ScriptedLog } from '../testing/scripted-log.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { Follower } from './follower.ts';
import type { Guard } from './guards.ts';
import { keyLabel } from './label.ts';
import type { InvalidationLog, Reading, Snapshot } from './log.ts';
import { logOptions } from './log-options.ts';
import { MemoryLog } from './memory-log.ts';
import type { Position } from './position.ts';
import type { Draft } from './record.ts';
import { Stopwatch } from './stopwatch.ts';
import { View } from './view.ts';

const MAX_LAG = 2_000;
const A = keyLabel('a');

/** One follower on a scripted log, with everything that it tells its node. */
class Scene {
  readonly clock = new FakeClock();
  readonly stopwatch: Stopwatch;
  readonly server: MemoryLog;
  readonly log: ScriptedLog;
  readonly view: View;
  readonly follower: Follower;
  readonly told: string[] = [];
  readonly #epochs: string[] = [];

  constructor(removed: readonly Guard[] = [], parts: { log?: InvalidationLog; configured?: number } = {}) {
    this.stopwatch = new Stopwatch(this.clock, !removed.includes('bothClocks'));
    const options = logOptions({ slots: 256, maxLag: MAX_LAG });
    const random = new SeededRandom(3).next;
    this.server = new MemoryLog(options, { clock: this.clock, stopwatch: this.stopwatch, random });
    this.log = new ScriptedLog(this.server, () => this.stopwatch.now());
    const set = new Set(removed);
    this.view = new View(options, set);
    this.follower = new Follower({
      log: parts.log ?? this.log,
      view: this.view,
      clock: this.clock,
      stopwatch: this.stopwatch,
      random: () => 0.5,
      options: { ...options, maxLag: parts.configured ?? MAX_LAG },
      removed: set,
      hooks: {
        beforeAdopt: (epoch) => this.told.push(`before ${this.#name(epoch)} in ${this.#name(this.view.epoch)}`),
        adopted: ({ epoch, head }, other, reason) =>
          this.told.push(`adopted ${this.#name(epoch)}.${head}${other ? ' other' : ''}: ${reason}`),
        applied: ({ number }) => this.told.push(`applied ${number}`),
        confirmed: (epoch, head) => this.told.push(`confirmed ${this.#name(epoch)}.${head}`),
        stateChanged: (state, cause) =>
          this.told.push(`${state}${cause instanceof Error ? ` (${cause.message})` : ''}`),
      },
    });
    scenes.push(this);
  }

  get attached(): boolean {
    return this.follower.attachedAt(this.stopwatch.now());
  }

  get head(): Position {
    return { epoch: this.view.epoch, number: this.view.applied };
  }

  /** What was told since the last time, in order. */
  news(): string[] {
    return this.told.splice(0);
  }

  async started(): Promise<this> {
    this.follower.start();
    await this.clock.advance(0);
    this.news();
    return this;
  }

  append(...drafts: Partial<Draft>[]): Promise<unknown> {
    return this.server.append(drafts.map((some) => ({ ...RECORD, labels: [A], ...some })));
  }

  /** Epochs by the order in which they were first seen. */
  #name(epoch: string): string {
    if (epoch === '') return '-';
    if (!this.#epochs.includes(epoch)) this.#epochs.push(epoch);
    return `E${this.#epochs.indexOf(epoch) + 1}`;
  }
}

const RECORD = {
  kind: 'invalidate' as const,
  id: '1'.repeat(32),
  origin: 'other#1',
  labels: [],
  patterns: [],
  time: 0,
};

const scenes: Scene[] = [];

afterEach(() => {
  for (const scene of scenes.splice(0)) scene.follower.stop();
});

describe('start', () => {
  it('copies the log, then follows it', async () => {
    const scene = new Scene();
    await scene.append({}, {});
    scene.follower.start();
    expect(scene.follower.state).toBe('down');
    expect(scene.attached).toBe(false);
    await scene.clock.advance(0);
    expect(scene.news()).toEqual(['before E1 in -', 'adopted E1.2 other: start', 'following', 'confirmed E1.2']);
    expect(scene.attached).toBe(true);
    expect(scene.view.newest(A)).toBe(2);
  });

  it('waits for a log that does not answer, ever longer, up to a second and a half', async () => {
    const scene = new Scene();
    scene.log.broken = new Error('refused');
    scene.follower.start();
    await scene.clock.advance(10_000);
    expect(scene.news()).toEqual([]);
    const before = scene.log.count.snapshot;
    expect(before).toBeGreaterThan(5);
    await scene.clock.advance(10_000);
    expect(scene.log.count.snapshot - before).toBe(10);
    scene.log.broken = undefined;
    await scene.clock.advance(1_500);
    expect(scene.attached).toBe(true);
  });

  it('gives up on a copy after maxLag, and does not use it when it arrives later', async () => {
    const scene = new Scene();
    const first = scene.log.hold('snapshot');
    scene.log.hold('snapshot');
    scene.follower.start();
    await scene.clock.advance(MAX_LAG - 1);
    expect(scene.log.count.snapshot).toBe(1);
    await scene.clock.advance(100);
    expect(scene.log.count.snapshot).toBe(2);
    first.release();
    await scene.clock.advance(0);
    expect(scene.view.epoch).toBe('');
  });

  it('takes the options that belong to the log', async () => {
    const scene = new Scene([], { configured: 60_000 });
    expect(scene.follower.options.maxLag).toBe(60_000);
    await scene.started();
    expect(scene.follower.options.maxLag).toBe(MAX_LAG);
    scene.log.broken = new Error('silent');
    await scene.clock.advance(MAX_LAG + 1);
    expect(scene.attached).toBe(false);
  });
});

describe('following', () => {
  it('applies records as they are appended, in order', async () => {
    const scene = await new Scene().started();
    await scene.append({}, {});
    await scene.clock.advance(0);
    expect(scene.news()).toEqual(['applied 1', 'applied 2', 'confirmed E1.2']);
    expect(scene.head.number).toBe(2);
  });

  it('proves its freshness again and again while nothing happens', async () => {
    const scene = await new Scene().started();
    for (let i = 0; i < 20; i++) {
      await scene.clock.advance(700);
      expect(scene.attached).toBe(true);
    }
    expect(scene.log.count.read).toBeLessThan(40);
    expect(scene.news().every((it) => it === 'confirmed E1.0')).toBe(true);
  });

  it('copies again, and keeps its place, when records were trimmed before it read them', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(500);
    await scene.append({}, {});
    scene.server.trim(2);
    held.release();
    await scene.clock.advance(0);
    expect(scene.news().slice(-4)).toEqual(['copying', 'adopted E1.2: trimmed', 'following', 'confirmed E1.2']);
    expect(scene.view.newest(A)).toBe(2);
  });

  it('copies again when a record is missing from the chain', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(500);
    await scene.append({}, { labels: [] });
    scene.server.trim(1);
    held.release();
    await scene.clock.advance(0);
    expect(scene.news().slice(-4)).toEqual(['copying', 'adopted E1.2: gap', 'following', 'confirmed E1.2']);
    expect(scene.view.newest(A)).toBe(1);
  });

  it('takes over another epoch, and asks its node to prepare first', async () => {
    const scene = await new Scene().started();
    scene.server.beginEpoch();
    await scene.clock.advance(0);
    expect(scene.news().slice(-5)).toEqual([
      'copying',
      'before E2 in E1',
      'adopted E2.0 other: epoch',
      'following',
      'confirmed E2.0',
    ]);
    expect(scene.attached).toBe(true);
  });

  it('reports what it has applied beyond the head, and adopts the epoch that begins then', async () => {
    const scene = new Scene();
    await scene.append({}, {});
    await scene.started();
    const lost = (reading: Reading): Reading => ({ ...reading, head: 1, records: [] });
    const copied = (snapshot: Snapshot): Snapshot => ({ ...snapshot, head: 1 });
    scene.log.hold('read').release(lost);
    scene.log.hold('snapshot').release(copied);
    // What the server does when it sees a position that it does not have.
    scene.log.hold('read').release((reading) => {
      scene.server.beginEpoch();
      return { ...reading, epoch: 'f'.repeat(16), head: 0, records: [] };
    });
    await scene.clock.advance(600);
    expect(scene.news().filter((it) => !it.startsWith('confirmed E1.2'))).toEqual([
      'copying',
      'adopted E1.1: behind',
      'following',
      'copying',
      'before E2 in E1',
      'adopted E2.0 other: epoch',
      'following',
      'confirmed E2.0',
    ]);
  });

  it('has nothing confirmed by a copy that is behind', async () => {
    const scene = new Scene();
    await scene.append({}, {});
    await scene.started();
    scene.log.hold('read').release((reading) => ({ ...reading, head: 1 }));
    scene.log.hold('snapshot').release((snapshot) => ({ ...snapshot, head: 1 }));
    scene.log.hold('read');
    const proven = scene.follower.provenAt(0);
    await scene.clock.advance(600);
    expect(scene.news()).not.toContain('confirmed E1.1');
    expect(scene.follower.provenAt(0)).toBe(proven);
    expect(scene.head.number).toBe(2);
  });

  it.each([Number.NaN, undefined as unknown as number])('trusts no reading whose head is %s', async (head) => {
    const scene = await new Scene().started();
    scene.log.hold('read').release((reading) => ({ ...reading, head }));
    scene.log.hold('snapshot');
    await scene.clock.advance(600);
    expect(scene.follower.state).toBe('copying');
    expect(scene.attached).toBe(false);
  });

  it('is over at once when the connection closes, and begins again with a copy', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read');
    await scene.clock.advance(500);
    held.fail(new Error('closed'));
    await scene.clock.advance(0);
    expect(scene.news().at(-1)).toBe('down (closed)');
    expect(scene.attached).toBe(false);
    await scene.clock.advance(1_000);
    expect(scene.news().slice(0, 3)).toEqual(['adopted E1.0: start', 'following', 'confirmed E1.0']);
  });

  it('is over when a request is not answered, and the late answer is not used', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(500);
    scene.news();
    await scene.clock.advance(MAX_LAG * 1.25);
    expect(scene.news()).toEqual(['down (the log did not answer)']);
    await scene.append({});
    held.release();
    await scene.clock.advance(0);
    expect(scene.head.number).toBe(0);
  });

  it('ends a record with an impossible number as an error of the connection', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(500);
    await scene.append({});
    held.release((reading) => ({ ...reading, records: reading.records.map((it) => ({ ...it, number: 2 ** 53 })) }));
    await scene.clock.advance(0);
    expect(scene.news().at(-1)).toMatch(/^down \(Position .* is not an integer/);
    expect(scene.view.applied).toBe(0);
  });
});

describe('the proof of freshness', () => {
  it('ends after maxLag without an answer', async () => {
    const scene = await new Scene().started();
    scene.log.hold('read');
    await scene.clock.advance(500);
    scene.log.hold('read');
    await scene.clock.advance(MAX_LAG - 500);
    expect(scene.attached).toBe(true);
    await scene.clock.advance(501);
    expect(scene.attached).toBe(false);
  });

  it('is dated at the sending of the request', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read');
    await scene.clock.advance(MAX_LAG);
    held.release();
    scene.log.hold('read');
    await scene.clock.advance(0);
    // Sent at 0 or at 500, depending on the reading before; certainly not now.
    expect(scene.follower.provenAt(0)).toBeLessThanOrEqual(500);
    await scene.clock.advance(501);
    expect(scene.attached).toBe(false);
  });

  it('of a copy is dated at the sending too', async () => {
    const scene = new Scene();
    const held = scene.log.hold('snapshot');
    scene.log.hold('read');
    scene.follower.start();
    await scene.clock.advance(1_500);
    held.release();
    await scene.clock.advance(0);
    expect(scene.attached).toBe(true);
    await scene.clock.advance(501);
    expect(scene.attached).toBe(false);
  });

  it('never becomes older', async () => {
    const scene = await new Scene().started();
    await scene.clock.advance(5_000);
    const proven = scene.follower.provenAt(0);
    scene.log.hold('read').release((reading) => ({ ...reading, provenAt: 1 }));
    scene.log.hold('read', 'request');
    await scene.clock.advance(600);
    expect(scene.follower.provenAt(0)).toBeGreaterThanOrEqual(proven);
  });

  it('never lies ahead, whatever the log says', async () => {
    const scene = await new Scene().started();
    scene.log.hold('read').release((reading) => ({ ...reading, provenAt: 1e9 }));
    scene.log.hold('read', 'request');
    await scene.clock.advance(600);
    expect(scene.follower.provenAt(0)).toBe(500);
  });

  it('needs a reading that reaches its head: a full batch proves nothing', async () => {
    const scene = await new Scene().started();
    scene.log.limit = 1;
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(500);
    scene.news();
    await scene.append({}, {}, {});
    const last = scene.log.hold('read', 'request');
    held.release();
    await scene.clock.advance(0);
    expect(scene.news()).toEqual(['applied 1']);
    last.release();
    await scene.clock.advance(0);
    expect(scene.news()).toEqual(['applied 2', 'applied 3', 'confirmed E1.3']);
  });

  it('needs a log that proves itself', async () => {
    const scene = new Scene();
    scene.log.proves = false;
    await scene.started();
    expect(scene.follower.state).toBe('following');
    expect(scene.attached).toBe(false);
    scene.log.proves = true;
    await scene.clock.advance(500);
    scene.log.proves = false;
    expect(scene.attached).toBe(true);
    await scene.clock.advance(MAX_LAG * 2);
    expect(scene.follower.state).toBe('following');
    expect(scene.attached).toBe(false);
  });

  it('of another epoch is worth nothing', async () => {
    const scene = await new Scene().started();
    scene.log.proves = false;
    scene.server.beginEpoch();
    await scene.clock.advance(0);
    expect(scene.news()).toContain('adopted E2.0 other: epoch');
    expect(scene.attached).toBe(false);
    expect(scene.follower.attachedAt(scene.stopwatch.now(), 3_600_000)).toBe(false);
  });

  it('grows old while the machine sleeps', async () => {
    const scene = await new Scene().started();
    scene.clock.suspend(MAX_LAG + 100);
    expect(scene.attached).toBe(false);
  });

  it('is stretched by a tolerance, whatever the state, but not by what is queued', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('cut');
    await scene.clock.advance(MAX_LAG + 1_000);
    expect(scene.follower.state).toBe('down');
    const now = scene.stopwatch.now();
    const age = now - scene.follower.provenAt(now) - MAX_LAG;
    expect(scene.follower.attachedAt(now, age - 1)).toBe(false);
    expect(scene.follower.attachedAt(now, age)).toBe(true);
    scene.view.pending.add(RECORD);
    expect(scene.follower.attachedAt(now, age)).toBe(false);
  });

  it('does not count while something is queued here', async () => {
    const scene = await new Scene().started();
    scene.view.pending.add(RECORD);
    expect(scene.attached).toBe(false);
    scene.view.pending.leave();
    expect(scene.attached).toBe(true);
  });

  it('is not asked for in a tight loop where the log answers, but has nothing to follow', async () => {
    const scene = new Scene();
    scene.log.proves = false;
    scene.log.read = () => Promise.resolve({ epoch: '', head: 0, records: [], provenAt: undefined });
    scene.follower.start();
    await scene.clock.advance(10_000);
    expect(scene.log.count.snapshot).toBeLessThan(25);
  });
});

describe('drop', () => {
  it('detaches, and drops the reading that is under way', async () => {
    const scene = await new Scene().started();
    const reading = scene.log.hold('read');
    const copy = scene.log.hold('snapshot');
    await scene.clock.advance(500);
    scene.news();
    scene.follower.drop();
    expect(scene.news()).toEqual(['copying']);
    expect(scene.attached).toBe(false);
    reading.release();
    await scene.clock.advance(0);
    expect(scene.news()).toEqual([]);
    copy.release();
    await scene.clock.advance(0);
    expect(scene.news()).toEqual(['adopted E1.0: crossed', 'following', 'confirmed E1.0']);
  });

  it('drops the copy that is under way: it may lack what was appended meanwhile', async () => {
    const scene = new Scene();
    const first = scene.log.hold('snapshot');
    scene.follower.start();
    await scene.clock.advance(0);
    await scene.append({});
    scene.follower.drop();
    const second = scene.log.hold('snapshot');
    first.release();
    await scene.clock.advance(0);
    expect(scene.view.epoch).toBe('');
    second.release();
    await scene.clock.advance(0);
    expect(scene.head.number).toBe(1);
  });

  it('ends a pause: there is a server that answers', async () => {
    const scene = new Scene();
    scene.log.broken = new Error('refused');
    scene.follower.start();
    await scene.clock.advance(10_000);
    scene.log.broken = undefined;
    scene.follower.drop();
    await scene.clock.advance(100);
    expect(scene.follower.state).toBe('following');
  });

  it('changes nothing where the log is in this process, or all is over', async () => {
    const scene = new Scene();
    const local = new Scene([], { log: scene.server });
    local.follower.start();
    local.follower.drop();
    expect(local.follower.state).toBe('local');
    await scene.started();
    scene.follower.stop();
    scene.follower.drop();
    expect(scene.follower.state).toBe('stopped');
  });
});

describe('reach', () => {
  it('is passed at once where the position is applied', async () => {
    const scene = await new Scene().started();
    await expect(scene.follower.reach(scene.head, 0)).resolves.toBe('passed');
  });

  it('is passed when a record brings it', async () => {
    const scene = await new Scene().started();
    const outcome = scene.follower.reach({ ...scene.head, number: 2 }, 1_000);
    await scene.append({});
    await scene.clock.advance(0);
    expect(scene.clock.timers).toBeGreaterThan(1);
    await scene.append({});
    await scene.clock.advance(0);
    await expect(outcome).resolves.toBe('passed');
  });

  it('is passed when a copy brings it', async () => {
    const scene = new Scene();
    scene.log.broken = new Error('refused');
    scene.follower.start();
    await scene.append({});
    const { epoch } = await scene.server.snapshot();
    const outcome = scene.follower.reach({ epoch, number: 1 }, 60_000, true);
    scene.log.broken = undefined;
    await scene.clock.advance(2_000);
    await expect(outcome).resolves.toBe('passed');
  });

  it('is not passed by an equal number of another epoch', async () => {
    const scene = await new Scene().started();
    await expect(scene.follower.reach({ epoch: 'a'.repeat(16), number: 0 }, 0)).resolves.toBe('late');
    const outcome = scene.follower.reach({ ...scene.head, number: 1 }, 60_000);
    scene.server.beginEpoch();
    await scene.append({}, {});
    await scene.clock.advance(0);
    await expect(outcome).resolves.toBe('other');
    expect(scene.head.number).toBe(2);
  });

  it('of an epoch that is adopted next goes on waiting for the number', async () => {
    const scene = await new Scene().started();
    const next = 'e'.repeat(16);
    const outcomes: string[] = [];
    void scene.follower.reach({ epoch: next, number: 1 }, 60_000).then((it) => outcomes.push(it));
    scene.log.hold('read').release((reading) => ({ ...reading, epoch: next }));
    scene.log.hold('snapshot').release((snapshot) => ({ ...snapshot, epoch: next }));
    scene.log.hold('read').release((reading) => ({ ...reading, epoch: next, head: 0, records: [] }));
    const last = scene.log.hold('read', 'request');
    await scene.clock.advance(600);
    expect(scene.view.epoch).toBe(next);
    expect(outcomes).toEqual([]);
    last.release(() => ({ epoch: next, head: 1, records: [{ ...RECORD, number: 1, prev: 0 }], provenAt: 0 }));
    await scene.clock.advance(0);
    expect(outcomes).toEqual(['passed']);
  });

  it('is late after its time', async () => {
    const scene = await new Scene().started();
    const outcomes: string[] = [];
    void scene.follower.reach({ ...scene.head, number: 9 }, 50).then((it) => outcomes.push(it));
    await scene.clock.advance(49);
    expect(outcomes).toEqual([]);
    await scene.clock.advance(1);
    expect(outcomes).toEqual(['late']);
  });

  it('is late as soon as the follower is down, unless it is told to wait', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read');
    await scene.clock.advance(500);
    const next = { ...scene.head, number: 1 };
    const impatient = scene.follower.reach(next, 60_000);
    const patient = scene.follower.reach(next, 60_000, true);
    held.fail(new Error('closed'));
    await expect(impatient).resolves.toBe('late');
    await expect(scene.follower.reach(next, 60_000)).resolves.toBe('late');
    await scene.append({});
    await scene.clock.advance(2_000);
    await expect(patient).resolves.toBe('passed');
  });

  it('is late when all is over', async () => {
    const scene = await new Scene().started();
    const waiting = scene.follower.reach({ ...scene.head, number: 1 }, 60_000, true);
    scene.follower.stop();
    await expect(waiting).resolves.toBe('late');
    await expect(scene.follower.reach({ ...scene.head, number: 1 }, 60_000, true)).resolves.toBe('late');
  });
});

describe('head', () => {
  it('is where the log ends, not where this node is', async () => {
    const scene = await new Scene().started();
    scene.log.hold('read');
    await scene.clock.advance(500);
    await scene.append({}, {});
    await expect(scene.follower.head()).resolves.toEqual({ epoch: scene.view.epoch, number: 2 });
    expect(scene.head.number).toBe(0);
  });

  it('is unknown where the log does not prove itself', async () => {
    const scene = await new Scene().started();
    scene.log.proves = false;
    await expect(scene.follower.head()).resolves.toBeUndefined();
  });

  it('is an error where the log does not answer in time', async () => {
    const scene = await new Scene().started();
    scene.log.hold('read');
    scene.log.hold('read');
    await scene.clock.advance(500);
    const head = scene.follower.head().catch((error: Error) => error.message);
    await scene.clock.advance(MAX_LAG);
    await expect(head).resolves.toBe('the log did not answer');
  });
});

describe('a log in this process', () => {
  it('is followed in the turn of each append, and always proven', () => {
    const { server, clock } = new Scene();
    const scene = new Scene([], { log: server });
    scene.follower.start();
    expect(scene.news()).toEqual(['before E1 in -', 'adopted E1.0 other: start', 'local']);
    expect(scene.follower.local).toBe(true);
    const outcome = scene.follower.reach({ ...scene.head, number: 1 }, 10);
    void server.append([{ ...RECORD, labels: [A] }]);
    expect(scene.news()).toEqual(['applied 1']);
    expect(scene.head.number).toBe(1);
    clock.suspend(3_600_000);
    scene.clock.suspend(3_600_000);
    expect(scene.attached).toBe(true);
    expect(scene.follower.provenAt(scene.stopwatch.now())).toBe(scene.stopwatch.now());
    return expect(outcome).resolves.toBe('passed');
  });

  it('is left by stopping, and by nothing else', async () => {
    const { server } = new Scene();
    const scene = new Scene([], { log: server });
    scene.follower.start();
    await expect(scene.follower.head()).resolves.toEqual(scene.head);
    scene.follower.stop();
    void server.append([RECORD]);
    expect(scene.head.number).toBe(0);
    expect(scene.attached).toBe(false);
  });
});

describe('stop', () => {
  it('ends every request and timer', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(500);
    scene.news();
    scene.follower.stop();
    expect(scene.news()).toEqual(['stopped']);
    await scene.append({});
    held.release();
    await scene.clock.advance(60_000);
    expect(scene.head.number).toBe(0);
    expect(scene.news()).toEqual([]);
    expect(scene.clock.timers).toBe(0);
  });

  it('ends a pause', async () => {
    const scene = new Scene();
    scene.log.broken = new Error('refused');
    scene.follower.start();
    await scene.clock.advance(10_000);
    scene.follower.stop();
    await scene.clock.advance(0);
    expect(scene.clock.timers).toBe(0);
  });

  it('cannot be taken back by an answer that arrives later', async () => {
    const scene = new Scene();
    const held = scene.log.hold('snapshot');
    scene.follower.start();
    await scene.clock.advance(0);
    scene.follower.stop();
    held.release();
    await scene.clock.advance(0);
    expect(scene.follower.state).toBe('stopped');
    expect(scene.view.epoch).toBe('');
  });
});

describe('each guard of following', () => {
  /** From now on each reading says that nothing has happened, half a second after it was asked for. */
  function answer({ log, clock, stopwatch }: Scene, { epoch, proves }: { epoch: string; proves: boolean }): void {
    log.read = async () => {
      const sentAt = stopwatch.now();
      await new Promise<void>((resolve) => clock.schedule(500, resolve));
      return { epoch, head: 0, records: [], provenAt: proves ? sentAt : undefined };
    };
  }

  /** What happens to the log, then whether this node would serve what was invalidated meanwhile. */
  const cases: readonly [Guard, string, (scene: Scene) => Promise<void>][] = [
    [
      'age',
      'silence',
      async (scene) => {
        scene.log.hold('read', 'request');
        scene.log.hold('read', 'request');
        await scene.clock.advance(500);
        await scene.append({});
        await scene.clock.advance(MAX_LAG);
      },
    ],
    [
      'bothClocks',
      'a sleeping machine',
      async (scene) => {
        scene.log.hold('read', 'request');
        await scene.clock.advance(500);
        await scene.append({});
        scene.clock.suspend(3_600_000);
      },
    ],
    [
      'provenAt',
      'an answer that grew old',
      async (scene) => {
        const held = scene.log.hold('read');
        await scene.clock.advance(500);
        await scene.append({});
        scene.log.hold('read', 'request');
        await scene.clock.advance(MAX_LAG);
        held.release();
        await scene.clock.advance(100);
      },
    ],
    [
      'replicas',
      'an isolated primary',
      async (scene) => {
        answer(scene, { epoch: scene.view.epoch, proves: false });
        await scene.clock.advance(500);
        await scene.append({});
        await scene.clock.advance(MAX_LAG * 2);
      },
    ],
    [
      'fullBatch',
      'a long way behind',
      async (scene) => {
        const held = scene.log.hold('read', 'request');
        await scene.clock.advance(500);
        await scene.append({ labels: [] }, {});
        held.release((it) => ({ ...it, records: it.records.slice(0, 1) }));
        scene.log.hold('read', 'request');
        await scene.clock.advance(MAX_LAG - 100);
      },
    ],
    [
      'emptyBelowHead',
      'a lost stream',
      async (scene) => {
        const held = scene.log.hold('read', 'request');
        await scene.clock.advance(500);
        await scene.append({});
        scene.server.trim(1);
        scene.log.hold('snapshot', 'request');
        for (let i = 0; i < 3; i++) scene.log.hold('read', 'request');
        held.release();
        await scene.clock.advance(0);
      },
    ],
    [
      'chain',
      'a record that is missing',
      async (scene) => {
        const held = scene.log.hold('read', 'request');
        await scene.clock.advance(500);
        await scene.append({}, { labels: [] });
        scene.server.trim(1);
        scene.log.hold('snapshot', 'request');
        held.release();
        await scene.clock.advance(0);
      },
    ],
    [
      'epochCheck',
      'an emptied server',
      async (scene) => {
        answer(scene, { epoch: 'd'.repeat(16), proves: true });
        await scene.clock.advance(500);
        scene.server.beginEpoch();
        await scene.clock.advance(MAX_LAG * 2);
      },
    ],
  ];

  it.each(cases)('%s: %s ends serving, and would not without it', async (guard, _what, happens) => {
    for (const removed of [[], [guard]]) {
      const scene = await new Scene(removed).started();
      const { epoch } = scene.view;
      await happens(scene);
      const it = { epoch, mark: 0, high: A.high, low: A.low, shared: [] };
      const served = scene.attached && scene.view.cover(it, 'a') === undefined;
      expect(served).toBe(removed.length > 0);
    }
  });

  it('requeueFirst: without it the node prepares for an epoch only after taking it over', async () => {
    const scene = await new Scene(['requeueFirst']).started();
    scene.server.beginEpoch();
    await scene.clock.advance(200);
    const told = scene.news();
    expect(told.indexOf('before E2 in E2')).toBeGreaterThan(told.indexOf('adopted E2.0 other: epoch'));
  });
});
