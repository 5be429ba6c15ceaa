import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { Everywhere } from './everywhere.ts';
import { logOptions } from './log-options.ts';
import type { NodePresence, Presence, Roll } from './presence.ts';

const MAX_LAG = 2_000;
/** A proof of freshness from before the append is worth nothing so long after it, in ms. */
const SERVICE = MAX_LAG + 50;
const EPOCH = 'e'.repeat(16);
const POSITION = { epoch: EPOCH, number: 10 };

/** A list of nodes that a test writes. */
class List implements Presence {
  id = 'one';
  longest = MAX_LAG;
  nodes: NodePresence[] = [];
  broken = false;
  readonly calls: string[] = [];

  register(node: string, tolerance: number): Promise<void> {
    this.calls.push(`register ${node} ${tolerance}`);
    return this.broken ? Promise.reject(new Error('no server')) : Promise.resolve();
  }

  list(): Promise<Roll> {
    if (this.broken) return Promise.reject(new Error('no server'));
    return Promise.resolve({ id: this.id, longest: this.longest, nodes: this.nodes });
  }

  remove(node: string): Promise<void> {
    this.calls.push(`remove ${node}`);
    return this.broken ? Promise.reject(new Error('no server')) : Promise.resolve();
  }
}

function at(node: string, number: number, epoch = EPOCH): NodePresence {
  return { node, applied: { epoch, number } };
}

/** A node that has known its list for so many ms. */
async function scene(list: List, { known = 10_000, tolerance = 0 } = {}) {
  const clock = new FakeClock();
  const options = logOptions({ maxLag: MAX_LAG });
  const everywhere = new Everywhere({ presence: list, node: 'shop#own', tolerance, options: () => options, clock });
  everywhere.start();
  await clock.advance(known);
  const outcome = (ms: number): Promise<boolean | 'waits'> => {
    let settled: boolean | 'waits' = 'waits';
    void everywhere.confirmed(POSITION).then((it) => {
      settled = it;
    });
    return clock.advance(ms).then(() => settled);
  };
  return { clock, everywhere, outcome };
}

describe('Everywhere', () => {
  it('waits for nobody where it is alone on the list', async () => {
    const list = new List();
    list.nodes = [at('shop#own', 3)];
    const { outcome } = await scene(list);
    expect(await outcome(0)).toBe(true);
  });

  it('returns as soon as the last node has applied the record', async () => {
    const list = new List();
    list.nodes = [at('shop#a', 10), at('shop#b', 9)];
    const { clock, everywhere } = await scene(list);
    let done = false;
    void everywhere.confirmed(POSITION).then(() => {
      done = true;
    });
    await clock.advance(400);
    expect(done).toBe(false);
    list.nodes = [at('shop#a', 10), at('shop#b', 11)];
    await clock.advance(50);
    expect(done).toBe(true);
  });

  it('does not take a number of another epoch for a confirmation', async () => {
    const list = new List();
    list.nodes = [at('shop#a', 99, 'f'.repeat(16))];
    const { outcome } = await scene(list);
    expect(await outcome(SERVICE)).toBe('waits');
  });

  it('gives up waiting for who is silent once nobody can serve on an older proof', async () => {
    const list = new List();
    list.nodes = [at('shop#dead', 1)];
    const { outcome } = await scene(list);
    expect(await outcome(SERVICE)).toBe('waits');
    expect(await outcome(SERVICE + 100)).toBe(true);
  });

  it('waits as long as the most tolerant node would serve', async () => {
    const list = new List();
    list.longest = 12_000;
    list.nodes = [at('shop#dead', 1)];
    const { outcome } = await scene(list, { known: 20_000 });
    expect(await outcome(12_000)).toBe('waits');
    expect(await outcome(12_200)).toBe(true);
  });

  it('does not trust a list that may have lost a node that still serves', async () => {
    const list = new List();
    const { outcome } = await scene(list, { known: 500 });
    expect(await outcome(SERVICE - 500)).toBe('waits');
    expect(await outcome(SERVICE)).toBe(true);
  });

  it('begins to know a list anew when it is another one', async () => {
    const list = new List();
    const { outcome } = await scene(list);
    list.id = 'two';
    expect(await outcome(1_900)).toBe('waits');
    expect(await outcome(SERVICE)).toBe(true);
  });

  it('promises nothing where the list cannot be read, and does not wait for ever', async () => {
    const list = new List();
    const { outcome } = await scene(list);
    list.broken = true;
    expect(await outcome(SERVICE)).toBe('waits');
    expect(await outcome(SERVICE + 100)).toBe(false);
  });

  it('measures by the clock that cannot be set: one that runs ahead lets nobody return early', async () => {
    const list = new List();
    list.nodes = [at('shop#dead', 1)];
    const { clock, outcome } = await scene(list);
    clock.setWall(clock.wall() + 60_000);
    expect(await outcome(SERVICE)).toBe('waits');
  });

  it('registers with what it serves beyond maxLag, and leaves the list; no server is no error', async () => {
    const list = new List();
    list.broken = true;
    const { everywhere, clock } = await scene(list, { tolerance: 700 });
    await everywhere.stop();
    expect(list.calls).toEqual(['register shop#own 700', 'remove shop#own']);
    expect(clock.timers).toBe(0);
  });
});
