import { describe, expect, it, vi } from 'vitest';
import { key } from '../coherence/target.ts';
import { followerBehind } from '../testing/follower-behind.ts';
import { Gate } from '../testing/gate.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvent } from './events.ts';
import type { LoadContext } from './load-context.ts';

/** A writer that is always up to date, and a node that follows the same log over connections, which can be stalled. */
async function setUp(options: Partial<CacheOptions> = {}) {
  const fleet = await followerBehind(options);
  const { clock, behind } = fleet;
  const events: CacheEvent[] = [];
  behind.on((event) => void events.push(event));
  await behind.ready();
  await clock.advance(0);
  return { ...fleet, events };
}

describe('a reader with a token', () => {
  it('is served from memory by a node that has passed it', async () => {
    const { clock, writer, behind } = await setUp();
    const receipt = await writer.invalidate(key('k'));
    await clock.advance(0);
    const load = vi.fn(() => 'value');
    await behind.getOrSet('k', load);
    expect(await behind.getOrSet('k', load, { atLeast: receipt })).toBe('value');
    expect(await behind.getOrSet('k', load, { atLeast: receipt.token })).toBe('value');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('waits on a node that is behind, for as long as 50 ms, and is served when the node catches up', async () => {
    const { clock, shared, writer, behind } = await setUp();
    const user = behind.query({ name: 'user', load: (_id: number) => 'loaded' });
    await user(1);
    // A record that takes 30 ms to arrive.
    const read = shared.read.bind(shared);
    shared.read = async (after, options) => {
      const reading = await read(after, options);
      if (reading.records.length > 0) await new Promise<void>((resolve) => clock.schedule(30, resolve));
      return reading;
    };
    await clock.advance(500);
    const receipt = await writer.invalidate(key('other'));
    const answers: unknown[] = [];
    void user
      .with({ atLeast: receipt })
      .read(1)
      .then((it) => answers.push(it.from));
    await clock.advance(29);
    expect(answers).toEqual([]);
    await clock.advance(1);
    expect(answers).toEqual(['memory']);
  });

  it('is given a load where the node does not catch up in 50 ms, though it has an old value', async () => {
    const { clock, writer, behind, events, fallBehind } = await setUp();
    await behind.getOrSet('k', () => 'old');
    await fallBehind();
    const receipt = await writer.invalidate(key('k'));
    expect(await behind.getOrSet('k', () => 'unused')).toBe('old'); // within maxLag, as promised
    const answers: string[] = [];
    void behind.getOrSet('k', () => 'new', { atLeast: receipt }).then((it) => answers.push(it));
    await clock.advance(49);
    expect(answers).toEqual([]);
    await clock.advance(1);
    expect(answers).toEqual(['new']);
    expect(events).toContainEqual({ type: 'miss', key: 'k', reason: 'token' });
  });

  it('does not look into the store on a node that is behind: what is there may be older', async () => {
    const { clock, writer, behind, fallBehind } = await setUp();
    await writer.getOrSet('k', () => 'old');
    await fallBehind();
    const receipt = await writer.invalidate(key('k'));
    const reader = behind.getOrSet('k', () => 'new', { atLeast: receipt });
    await clock.advance(50);
    expect(await reader).toBe('new');
  });

  it('of another epoch is answered by the loader, at once', async () => {
    const { behind } = await setUp();
    await behind.getOrSet('k', () => 'old');
    expect(await behind.getOrSet('k', () => 'new', { atLeast: `1.${'a'.repeat(16)}.1` })).toBe('new');
  });

  it('of a queued write is answered by the loader, at once', async () => {
    const { behind } = await setUp();
    await behind.getOrSet('k', () => 'old');
    expect(await behind.getOrSet('k', () => 'new', { atLeast: '1.queued' })).toBe('new');
    expect(await behind.getOrSet('k', () => 'newer', { atLeast: { token: '1.queued' } })).toBe('newer');
  });

  it('of its own queued write reads that write', async () => {
    const { clock, link, behind } = await setUp();
    await behind.getOrSet('k', () => 'old');
    link.cut('append');
    const receipt = behind.invalidate(key('k'));
    await clock.advance(250);
    expect(await behind.getOrSet('k', () => 'new', { atLeast: await receipt })).toBe('new');
  });

  it('does not share a flight from before its token', async () => {
    const { clock, writer, behind, fallBehind } = await setUp();
    await fallBehind();
    const slow = new Gate<string>();
    const early = behind.getOrSet('k', () => slow.promise);
    await clock.advance(0);
    const receipt = await writer.invalidate(key('k'));
    const reader = behind.getOrSet('k', () => 'new', { atLeast: receipt });
    await clock.advance(50);
    expect(await reader).toBe('new');
    slow.open('old');
    expect(await early).toBe('old');
  });

  it('shares a flight that began at or after its token', async () => {
    const { clock, writer, behind } = await setUp();
    const receipt = await writer.invalidate(key('k'));
    await clock.advance(0);
    const slow = new Gate<string>();
    const load = vi.fn(() => slow.promise);
    const readers = [behind.getOrSet('k', load)];
    await clock.advance(0);
    readers.push(behind.getOrSet('k', load, { atLeast: receipt }));
    await clock.advance(0);
    slow.open('value');
    expect(await Promise.all(readers)).toEqual(['value', 'value']);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('is not shown by peek what is older than it', async () => {
    const { writer, behind, fallBehind } = await setUp();
    const user = behind.query({ name: 'user', load: (_id: number) => 'old' });
    await user(1);
    expect(user.peek(1)).toBe('old');
    await fallBehind();
    const receipt = await writer.invalidate(user.at(1));
    expect(user.peek(1)).toBe('old'); // within maxLag, as promised
    expect(user.with({ atLeast: receipt }).peek(1)).toBeUndefined();
    expect(user.with({ atLeast: '1.queued' }).peek(1)).toBeUndefined();
    expect(user.with({ atLeast: `1.${'a'.repeat(16)}.1` }).peek(1)).toBeUndefined();
    expect(user.with({ atLeast: behind.mark() }).peek(1)).toBe('old');
  });

  it('is what every read of a query made by with() asks for', async () => {
    const { clock, writer, behind, fallBehind } = await setUp();
    const load = vi.fn((id: number) => id);
    const user = behind.query({ name: 'user', load });
    await user.many([[1], [2]]);
    await fallBehind();
    const receipt = await writer.invalidate(user.at());
    const read = user.with({ atLeast: receipt }).many([[1], [2]]);
    await clock.advance(50);
    expect(await read).toEqual([1, 2]);
    expect(load).toHaveBeenCalledTimes(4);
  });

  it('tells the loader that only the primary is certain to have the write', async () => {
    const { clock, writer, behind, fallBehind } = await setUp();
    await writer.invalidate([key('x')], { lsn: 5n });
    await clock.advance(0);
    const lsn = (ctx: LoadContext) => String(ctx.lsn);
    expect(await behind.getOrSet('a', lsn)).toBe('5');
    await fallBehind();
    const receipt = await writer.invalidate([key('x')], { lsn: 6n });
    const reader = behind.getOrSet('b', lsn, { atLeast: receipt });
    await clock.advance(50);
    expect(await reader).toBe('unknown');
  });

  it.each([['nonsense'], ['1.abc.1'], [''], ['2.0123456789abcdef.1'], ['1.0123456789abcdef.1.1'], [7]])(
    'refuses %j, which is none',
    async (token) => {
      const { behind } = await setUp();
      await expect(behind.getOrSet('k', () => 1, { atLeast: token as string })).rejects.toMatchObject({
        code: 'INVALID_TOKEN',
        message: `${JSON.stringify(token)} is not a position token. Pass on the \`token\` of a receipt unchanged.`,
      });
    },
  );
});

describe('the token of a receipt', () => {
  it('is good on another node that shares the log', async () => {
    const { clock, writer, behind } = await setUp();
    const user = behind.query({ name: 'user', load: (_id: number) => writerRow.value });
    const writerRow = { value: 'old' };
    await user(1);
    writerRow.value = 'new';
    const { token, status } = await writer.invalidate(key('user', 1));
    expect(status).toBe('applied');
    expect(token).toBe(writer.mark());
    const read = user.with({ atLeast: token }).read(1);
    await clock.advance(50);
    expect(await read).toMatchObject({ value: 'new', stale: false });
  });
});
