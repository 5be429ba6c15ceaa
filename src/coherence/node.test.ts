import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { ScriptedLog } from '../testing/scripted-log.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { keyLabel, tagLabel } from './label.ts';
import { logOptions, type LogSettings } from './log-options.ts';
import { MemoryLog } from './memory-log.ts';
import { Node } from './node.ts';
import type { NodeEvent } from './node-event.ts';
import { parseToken } from './position.ts';
import { Stopwatch } from './stopwatch.ts';
import { everything, key, pattern, tag } from './target.ts';

const MAX_LAG = 2_000;

/** A node with what it tells. */
class Scene {
  readonly clock = new FakeClock(1_000_000);
  readonly stopwatch = new Stopwatch(this.clock);
  readonly server: MemoryLog;
  readonly log: ScriptedLog;
  readonly node: Node;
  readonly #events: NodeEvent[] = [];

  constructor(parts: { local?: boolean; given?: LogSettings } = {}) {
    const options = logOptions({ slots: 256, maxLag: MAX_LAG });
    const random = new SeededRandom(11).next;
    this.server = new MemoryLog(options, { clock: this.clock, stopwatch: this.stopwatch, random });
    this.log = new ScriptedLog(this.server, () => this.stopwatch.now());
    this.node = new Node({
      name: 'shop',
      clock: this.clock,
      stopwatch: this.stopwatch,
      random,
      log: parts.local === true ? this.server : this.log,
      presence: undefined,
      tolerance: 0,
      options: parts.given === undefined ? options : logOptions(parts.given),
      patience: 250,
      maxQueue: 2,
      emit: (event) => this.#events.push(event),
      removed: new Set(),
    });
    scenes.push(this);
  }

  get attached(): boolean {
    return this.node.attachedAt(this.stopwatch.now());
  }

  async started(): Promise<this> {
    this.node.start();
    await this.clock.advance(0);
    this.news();
    return this;
  }

  /** What was told since the last time. */
  news(): NodeEvent[] {
    return this.#events.splice(0);
  }

  types(): string[] {
    return this.news().map((event) => event.type);
  }
}

const scenes: Scene[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.node.close(0);
});

describe('events', () => {
  it('tell of the epoch that was adopted, then that the node serves', async () => {
    const scene = new Scene();
    scene.node.start();
    await scene.clock.advance(0);
    const { epoch } = scene.node.view;
    expect(scene.news()).toEqual([
      { type: 'epoch', epoch, before: '' },
      { type: 'attached', position: { epoch, number: 0 } },
    ]);
  });

  it('tell the same of a log in this process, at once', () => {
    const scene = new Scene({ local: true });
    scene.node.start();
    expect(scene.types()).toEqual(['epoch', 'attached']);
  });

  it('tell of a record: sent, then applied', async () => {
    const scene = await new Scene().started();
    await scene.node.invalidate([key('a')]);
    expect(scene.news()).toEqual([
      {
        type: 'sent',
        draft: expect.objectContaining({ targets: ['key a'] }),
        position: expect.objectContaining({ number: 1 }),
      },
      { type: 'applied', record: expect.objectContaining({ number: 1, prev: 0 }) },
    ]);
  });

  it('tell why it stopped serving, once, and when it serves again', async () => {
    const scene = await new Scene().started();
    const cause = new Error('connection lost');
    const held = scene.log.hold('read');
    await scene.clock.advance(500);
    held.fail(cause);
    await scene.clock.advance(0);
    expect(scene.attached).toBe(false);
    expect(scene.news()).toEqual([{ type: 'detached', state: 'down', cause }]);
    await scene.clock.advance(1_000);
    expect(scene.types()).toEqual(['resync', 'attached']);
  });

  it('tell that the proof grew old when somebody asks', async () => {
    const scene = await new Scene().started();
    scene.log.hold('read', 'request');
    scene.clock.suspend(MAX_LAG + 100);
    expect(scene.news()).toEqual([]);
    expect(scene.attached).toBe(false);
    expect(scene.news()).toEqual([{ type: 'detached', state: 'following', cause: 'age' }]);
  });

  it('say nothing of a reader who tolerates more', async () => {
    const scene = await new Scene().started();
    scene.log.hold('read', 'request');
    scene.clock.suspend(MAX_LAG + 100);
    expect(scene.node.attachedAt(scene.stopwatch.now(), 60_000)).toBe(true);
    expect(scene.news()).toEqual([]);
  });

  it('tell of a copy in the same epoch, with its reason', async () => {
    const scene = await new Scene().started();
    const held = scene.log.hold('read', 'request');
    await scene.clock.advance(500);
    await scene.server.append([{ ...NOTHING, labels: [keyLabel('a')] }]);
    scene.server.trim(1);
    held.release();
    await scene.clock.advance(0);
    const position = { epoch: scene.node.view.epoch, number: 1 };
    expect(scene.news()).toEqual([
      { type: 'detached', state: 'copying', cause: 'trimmed' },
      { type: 'resync', reason: 'trimmed', position },
      { type: 'attached', position },
    ]);
  });

  it('tell of another epoch, and which it was before', async () => {
    const scene = await new Scene().started();
    const before = scene.node.view.epoch;
    scene.server.beginEpoch();
    await scene.clock.advance(0);
    const { epoch } = scene.node.view;
    expect(scene.news()).toEqual([
      { type: 'detached', state: 'copying', cause: 'epoch' },
      { type: 'epoch', epoch, before },
      { type: 'attached', position: { epoch, number: 0 } },
    ]);
  });

  it('tell that the log has other options, which are used', async () => {
    const scene = new Scene({ given: { slots: 64, maxLag: '10s' } });
    scene.node.start();
    await scene.clock.advance(0);
    expect(scene.news()).toContainEqual({
      type: 'options-differ',
      given: logOptions({ slots: 64, maxLag: '10s' }),
      used: logOptions({ slots: 256, maxLag: MAX_LAG }),
    });
    expect(scene.node.follower.options.maxLag).toBe(MAX_LAG);
    await scene.node.invalidate([key('a')]);
    expect(scene.node.view.newest(keyLabel('a'))).toBe(1);
    scene.node.follower.drop();
    await scene.clock.advance(1_000);
    expect(scene.types()).toEqual(['sent', 'applied', 'detached', 'resync', 'attached']);
  });

  it('say nothing of equal options', async () => {
    const scene = new Scene();
    scene.node.start();
    await scene.clock.advance(0);
    expect(scene.types()).not.toContain('options-differ');
  });

  it('tell what is queued, and that the node stops serving for it; then that it was sent', async () => {
    const scene = await new Scene().started();
    const cause = new Error('refused');
    scene.log.append = () => Promise.reject(cause);
    void scene.node.invalidate([key('a')]);
    await scene.clock.advance(300);
    expect(scene.news()).toEqual([
      { type: 'queued', draft: expect.objectContaining({ targets: ['key a'] }), cause: expect.any(Error) },
      { type: 'detached', state: 'following', cause: expect.any(Error) },
    ]);
    scene.log.append = (drafts) => scene.server.append(drafts);
    await scene.clock.advance(3_000);
    expect(scene.types()).toEqual(['sent', 'applied', 'attached']);
  });

  it('tell how many were replaced when the queue is full', async () => {
    const scene = await new Scene().started();
    scene.log.append = () => Promise.reject(new Error('refused'));
    for (const name of ['a', 'b', 'c']) void scene.node.invalidate([key(name)], { cause: { event: name } });
    await scene.clock.advance(300);
    expect(scene.news()).toContainEqual({ type: 'overflowed', dropped: 3 });
  });
});

const NOTHING = { kind: 'invalidate' as const, id: '1'.repeat(32), origin: 'o', labels: [], patterns: [], time: 0 };

describe('invalidate', () => {
  it('makes a draft of targets, cause and bound, with an id and an origin of its own', async () => {
    const scene = await new Scene().started();
    const cause = { event: 'budget.updated', fields: { org: 'ORG1' } };
    await scene.node.invalidate([key('user', 42), tag('org:7'), pattern('a:*')], { cause, lsn: 77n });
    await scene.node.invalidate([everything()]);
    const [first, second] = scene.log.appends.flat();
    expect(first).toEqual({
      kind: 'invalidate',
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      origin: scene.node.origin,
      labels: [keyLabel('user:42'), tagLabel('org:7')],
      patterns: ['a:*'],
      lsn: 77n,
      time: 1_000_000,
      targets: ['key user:42', 'tag org:7', 'pattern a:*'],
      cause,
    });
    expect(second).toMatchObject({ kind: 'everything', labels: [], patterns: [] });
    expect(second?.id).not.toBe(first?.id);
    expect(scene.node.view.lsn).toBe(77n);
  });

  it('names its node: the service and eight digits that differ between processes', () => {
    const { node } = new Scene();
    expect(node.origin).toMatch(/^shop#[0-9a-f]{8}$/);
  });

  it('is seen by another node of the same log', async () => {
    const scene = await new Scene().started();
    const { epoch } = scene.node.view;
    const receipt = await scene.node.invalidate([key('a')]);
    expect(parseToken(receipt.token)).toEqual({ epoch, number: 1 });
    const { newest } = await scene.server.check([keyLabel('a')]);
    expect(newest).toEqual([1]);
  });
});

describe('ready', () => {
  it('resolves when the node is attached', async () => {
    const scene = new Scene();
    const held = scene.log.hold('snapshot');
    const seen: string[] = [];
    scene.node.start();
    void scene.node.ready(5_000).then(() => seen.push('ready'));
    await scene.clock.advance(1_000);
    expect(seen).toEqual([]);
    held.release();
    await scene.clock.advance(0);
    expect(seen).toEqual(['ready']);
  });

  it('rejects after its time, and says what to check', async () => {
    const scene = new Scene();
    scene.log.broken = new Error('refused');
    scene.node.start();
    const ready = scene.node.ready(300).catch((error: unknown) => error);
    await scene.clock.advance(300);
    await expect(ready).resolves.toMatchObject({
      code: 'NOT_READY',
      message: expect.stringMatching(/not attached to its log after 300 ms.*check that the log's server is reachable/),
    });
  });

  it('leaves no timer', async () => {
    const scene = new Scene({ local: true });
    scene.node.start();
    await scene.node.ready(5_000);
    expect(scene.clock.timers).toBe(0);
  });
});

describe('close', () => {
  it('ends serving and following, and says what was not sent', async () => {
    const scene = await new Scene().started();
    scene.log.append = () => Promise.reject(new Error('refused'));
    void scene.node.invalidate([key('a')]);
    await expect(scene.node.close(0)).resolves.toBe(1);
    expect(scene.attached).toBe(false);
    expect(scene.node.follower.state).toBe('stopped');
    const { read, snapshot } = scene.log.count;
    await scene.clock.advance(60_000);
    expect(scene.log.count).toMatchObject({ read, snapshot });
    expect(scene.clock.timers).toBe(0);
  });
});

describe('a log that tells when it can be reached again', () => {
  it('is tried at once, out of the pause between attempts, by the follower and the writer', async () => {
    const scene = new Scene();
    let reachable: () => void = () => {};
    let listening = true;
    Object.assign(scene.log, {
      onReachable: (listener: () => void) => {
        reachable = listener;
        return () => {
          listening = false;
        };
      },
    });
    scene.log.broken = new Error('no server');
    scene.node.start();
    const receipt = scene.node.invalidate([key('a')]);
    await scene.clock.advance(20_000);
    expect((await receipt).status).toBe('queued');
    scene.log.broken = undefined;
    reachable();
    await scene.clock.advance(1);
    expect(scene.types()).toEqual(expect.arrayContaining(['queued', 'epoch', 'sent', 'attached']));
    await scene.node.close(0);
    expect(listening).toBe(false);
  });
});
