import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { emptiedRedis } from '../servers/emptied-redis.ts';
import { type Given, Release } from './release.ts';

const MAX_LAG = 500;
const PATIENT = { timeout: 15_000 };

const shared = emptiedRedis();
let running: Release[] = [];

beforeEach(async () => {
  for (const item of ITEMS) await shared.admin.hset('prices', item, 1_000);
});

afterEach(async () => {
  await Promise.all(running.map((release) => release.stop()));
  running = [];
});

const ITEMS = ['a', 'b', 'c', 'd'];

async function start(release: 1 | 2, slow = 0): Promise<Release> {
  const made = await Release.start(release, shared.server.url, MAX_LAG, slow);
  running.push(made);
  return made;
}

async function stop(release: Release): Promise<void> {
  running = running.filter((it) => it !== release);
  await release.stop();
}

const NUMBER: unknown = expect.any(Number);
const SHAPES = {
  1: { cents: NUMBER },
  2: { euros: NUMBER, text: expect.stringMatching(/^EUR /) as unknown },
} as const;

/** The price that a reader was given, in cents. Anything but the shape of its release is an error, whatever it says. */
function cents(release: 1 | 2, { value }: Given): number {
  expect(value).toEqual(SHAPES[release]);
  const price = value as { cents: number } | { euros: number };
  return 'cents' in price ? price.cents : Math.round(price.euros * 100);
}

describe('an upgrade of a fleet, one process after the other', { timeout: 60_000 }, () => {
  it('begins with what the old release has kept, and loads none of it again', async () => {
    const old = await start(1);
    for (const item of ITEMS) expect(cents(1, await old.read(item))).toBe(1_000);
    await waitUntil(async () => (await shared.admin.keys('shop:v:price:*')).length === ITEMS.length, PATIENT);
    const now = await start(2);
    for (const item of ITEMS) {
      const given = await now.read(item);
      expect([cents(2, given), given.from]).toEqual([1_000, 'store']);
    }
    expect(await now.loads()).toBe(0);
    await waitUntil(async () => (await shared.admin.keys('shop:v:\\\\v2:price:*')).length === ITEMS.length, PATIENT);
  });

  it('serves each release its own shape, never older than any write of either, until the old one is gone', async () => {
    const [old, now] = [await start(1), await start(2)];
    for (let round = 0; round < 60; round++) {
      const item = ITEMS[round % ITEMS.length] as string;
      await Promise.all([old.read(item), now.read(item)]);
      const [writer, wrote, other, reads] = round % 2 === 0 ? ([old, 1, now, 2] as const) : ([now, 2, old, 1] as const);
      const raised = await writer.raise(item);
      expect(raised.status).toBe('applied');
      expect(cents(wrote, await writer.read(item))).toBe(raised.cents);
      expect(cents(reads, await other.read(item, raised.token))).toBe(raised.cents);
    }
    await stop(old);
    for (const item of ITEMS) {
      const { cents: raised } = await now.raise(item);
      expect(cents(2, await now.read(item))).toBe(raised);
    }
  });

  it('reaches the other release without a token, too, within `maxLag`', async () => {
    const [old, now] = [await start(1), await start(2)];
    for (const [writer, reader, shape] of [
      [old, now, 2],
      [now, old, 1],
    ] as const) {
      cents(shape, await reader.read('a'));
      const raised = await writer.raise('a');
      const reached = (): Promise<boolean> => reader.read('a').then((given) => cents(shape, given) === raised.cents);
      expect(await waitUntil(reached, { timeout: MAX_LAG * 2 })).toBe(true);
    }
  });

  it('does not lift what a slow load of the old release has brought after the new one has written', async () => {
    const [old, now] = [await start(1, 300), await start(2)];
    const slow = old.read('a');
    await waitUntil(async () => (await shared.admin.keys('shop:l:price:a')).length > 0, PATIENT);
    const raised = await now.raise('a');
    expect(cents(1, await slow)).toBeLessThanOrEqual(raised.cents);
    const given = await now.read('a');
    expect(cents(2, given)).toBe(raised.cents);
  });

  it('goes back: the old release finds nothing that it cannot read, and nothing that is old', async () => {
    const old = await start(1);
    await old.read('a');
    await stop(old);
    const now = await start(2);
    await now.read('a');
    const raised = await now.raise('a');
    await now.read('a');
    await stop(now);
    const back = await start(1);
    const given = await back.read('a');
    expect([cents(1, given), given.from]).toEqual([raised.cents, 'loader']);
  });
});
