import { describe, expect, it, vi } from 'vitest';
import { key } from '../coherence/target.ts';
import { followerBehind } from '../testing/follower-behind.ts';
import { Gate } from '../testing/gate.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';

const ELSEWHERE = `1.${'a'.repeat(16)}.1`;
const NAMELESS = /^1\.queued\.[0-9a-f]{32}$/;

/** A writer that is always up to date, and a node that follows the same log over connections, which can be stalled. */
async function setUp(options: Partial<CacheOptions> = {}) {
  const fleet = await followerBehind(options);
  const { clock, behind, writer } = fleet;
  await behind.ready();
  await clock.advance(0);
  const database = new Map([['k', 'old']]);
  const load = vi.fn((id: string) => database.get(id));
  const row = behind.query({ name: 'row', load, ...options.defaults });
  /** On the node that is up to date, in a session: what the client is told. */
  const write = async (token?: string): Promise<string> =>
    writer.session(token, async () => {
      database.set('k', 'new');
      await writer.invalidate(key('row', 'k'));
      return writer.sessionToken() ?? '';
    });
  /** Time passes until it is answered. */
  const answered = async <T>(reading: Promise<T>): Promise<T> => {
    await clock.advance(60);
    return reading;
  };
  return { ...fleet, database, load, row, write, answered };
}

describe('a session', () => {
  it('hands on what its work returns or throws, and knows of nothing to begin with', async () => {
    const { behind } = await setUp();
    expect(behind.session(undefined, () => behind.sessionToken())).toBeUndefined();
    expect(behind.sessionToken()).toBeUndefined();
    const error = new Error('in the middle');
    expect(() =>
      behind.session(undefined, () => {
        throw error;
      }),
    ).toThrow(error);
  });

  it('has the token of what was invalidated inside, and a reader elsewhere is given nothing older', async () => {
    const { behind, row, load, fallBehind, write, answered } = await setUp();
    await row('k');
    await fallBehind();
    const token = await write();
    expect(await answered(row('k'))).toBe('old'); // nobody has told it, and its proof is young
    expect(await answered(behind.session(token, () => row('k')))).toBe('new');
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('reads from memory, at once, where the node has passed its token', async () => {
    const { clock, behind, row, load, write } = await setUp();
    const token = await write();
    await clock.advance(0);
    await row('k');
    behind.session(token, () => {
      expect(row.peek('k')).toBe('new');
      void row('k');
    });
    expect(await behind.session(token, () => behind.getOrSet('row:k', () => 'loaded'))).toBe('new');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('holds every way of reading', async () => {
    const { behind, row, load, fallBehind, write, answered, database } = await setUp();
    await row('k');
    await fallBehind();
    const token = await write();
    const inside = <T>(work: () => Promise<T>): Promise<T> => answered(behind.session(token, work));
    expect(behind.session(token, () => row.peek('k'))).toBeUndefined();
    expect(await inside(() => behind.get(['row', 'k']))).toBeUndefined();
    expect(await inside(() => row.many([['k']]))).toEqual(['new']);
    const other = (value: string): void => void database.set('k', value);
    other('newer');
    expect(await inside(async () => (await row.with({ atLeast: ELSEWHERE }).read('k')).value)).toBe('newer');
    other('newest');
    expect(await inside(() => behind.getOrSet('row:k', () => load('k'), { atLeast: '1.queued' }))).toBe('newest');
  });

  it('meets an explicit atLeast too, and its own token where that asks for more', async () => {
    const { clock, writer, behind, row, database, fallBehind, write, answered } = await setUp();
    const early = await writer.invalidate(key('x'));
    await clock.advance(0);
    await row('k');
    await fallBehind();
    const token = await write();
    expect(await answered(behind.session(token, () => row.with({ atLeast: early })('k')))).toBe('new');
    database.set('k', 'newer');
    expect(await answered(behind.session(early.token, () => row.with({ atLeast: ELSEWHERE })('k')))).toBe('newer');
  });

  it('tolerates nothing', async () => {
    const tolerant = { maxStaleness: '1h', grace: '1h' } as const;
    const { behind, row, fallBehind, write, answered } = await setUp({ defaults: tolerant });
    await row('k');
    await fallBehind();
    const token = await write();
    expect(await answered(behind.session(token, () => row.read('k')))).toMatchObject({ value: 'new', stale: false });
  });

  it('takes what a loader reads through the cache to be held to it as well', async () => {
    const { behind, row, database } = await setUp();
    const report = behind.query({ name: 'report', load: async () => `of ${await row('k')}` });
    await row('k');
    await behind.session(ELSEWHERE, () => row('k'));
    database.set('k', 'new');
    // By a token that came later: what was loaded for the first is not enough.
    const later = ELSEWHERE.replace('.1', '.2');
    const [outer, joiner] = await Promise.all([
      behind.session(ELSEWHERE, () => report()),
      behind.session(later, () => report()),
    ]);
    expect([outer, joiner]).toEqual(['of new', 'of new']);
  });

  it('is not that of readers outside who share its load', async () => {
    const { clock, behind } = await setUp();
    const gate = new Gate<string>();
    const tokens: (string | undefined)[] = [];
    const inside = behind.session(ELSEWHERE, () => behind.getOrSet('k', () => gate.promise));
    const outside = behind.getOrSet('k', () => gate.promise).then(() => tokens.push(behind.sessionToken()));
    await clock.advance(0);
    gate.open('value');
    await Promise.all([inside, outside]);
    expect(tokens).toEqual([undefined]);
  });

  it('goes through bypass, and bypass through it', async () => {
    const { behind } = await setUp();
    await behind.getOrSet('k', () => 'cached');
    const read = (): Promise<string> => behind.getOrSet('k', () => 'loaded');
    const within = await behind.session(ELSEWHERE, async () => {
      const value = await behind.bypass(read);
      return [value, behind.bypass(() => behind.sessionToken())];
    });
    expect(within).toEqual(['loaded', ELSEWHERE]);
    expect(await behind.bypass(() => behind.session(undefined, read))).toBe('loaded');
  });

  it('inside another is that one', async () => {
    const { writer } = await setUp();
    const token = await writer.session(undefined, async () => {
      const inner = await writer.session(ELSEWHERE, async () => {
        await writer.invalidate(key('k'));
        return writer.sessionToken();
      });
      expect(writer.sessionToken()).toBe(inner);
      return inner;
    });
    expect(token).toBe(`${ELSEWHERE},${writer.mark()}`);
  });

  it('can be entered again, and asked for its token from outside', async () => {
    const { writer } = await setUp();
    const session = writer.openSession();
    await session.run(() => writer.invalidate(key('k')));
    expect(session.token).toBe(writer.mark());
    expect(session.run(() => writer.sessionToken())).toBe(writer.mark());
  });

  it('still runs its work on a cache that is closed', async () => {
    const { writer } = await setUp();
    await writer.close();
    expect(writer.session(ELSEWHERE, () => 1)).toBe(1);
  });
});

describe('the token of a session', () => {
  it('says the same as the newest of its epoch', async () => {
    const { writer } = await setUp();
    const early = (await writer.invalidate(key('a'))).token;
    const late = (await writer.invalidate(key('b'))).token;
    for (const sent of [`${early},${late}`, `${late}, ${early}`])
      expect(writer.session(sent, () => writer.sessionToken())).toBe(late);
  });

  it('knows of an invalidation before whoever awaits it goes on', async () => {
    const { writer } = await setUp();
    const told = await writer.session(undefined, async () => {
      const { token } = await writer.invalidate(key('a'));
      return [token, writer.sessionToken()];
    });
    expect(told[1]).toBe(told[0]);
  });

  it('counts an invalidation that is under way as queued', async () => {
    const { clock, writer } = await setUp();
    await writer.session(undefined, async () => {
      const receipt = writer.invalidate(key('a'));
      expect(writer.sessionToken()).toMatch(NAMELESS);
      await clock.advance(0);
      expect(writer.sessionToken()).toBe((await receipt).token);
    });
  });

  it('forgets an invalidation that was refused', async () => {
    const { writer } = await setUp();
    await writer.session(undefined, async () => {
      await expect(writer.invalidate([key('a')], { id: 'short' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
      expect(writer.sessionToken()).toBeUndefined();
    });
  });

  it('has the receipt of a strict commit', async () => {
    const cache = createCache({ name: 'strict', strict: true });
    const token = await cache.session(undefined, async () => {
      const write = await cache.announce([key('a')]);
      const { token: written } = await write.committed();
      return [cache.sessionToken(), written];
    });
    expect(token[0]).toBe(token[1]);
    await cache.close();
  });

  it('is one for all where there is a write that the log has not taken, or where too many epochs are named', async () => {
    const { clock, behind, link } = await setUp();
    link.cut('append');
    const told = behind.session(ELSEWHERE, async () => {
      await behind.invalidate(key('k'));
      return behind.sessionToken();
    });
    await clock.advance(300);
    expect(await told).toMatch(NAMELESS);
    const epochs = ['a', 'b', 'c', 'd', 'e'].map((it) => `1.${it.repeat(16)}.1`);
    expect(behind.session(epochs.slice(1).join(), () => behind.sessionToken())).toBe(epochs.slice(1).join());
    expect(behind.session(epochs.join(), () => behind.sessionToken())).toMatch(NAMELESS);
  });
});

describe('a token that the node cannot place', () => {
  it.each([[ELSEWHERE], [`1.queued.${'0'.repeat(32)}`], [`${ELSEWHERE}, 1.queued.${'0'.repeat(32)}`]])(
    '%s: each key is loaded once, and then read from memory',
    async (token) => {
      const { behind, row, load, database } = await setUp();
      await row('k');
      database.set('k', 'new');
      const read = (): Promise<string | undefined> => behind.session(token, () => row('k'));
      expect(await read()).toBe('new');
      expect(await read()).toBe('new');
      expect(behind.session(token, () => row.peek('k'))).toBe('new');
      expect(load).toHaveBeenCalledTimes(2);
    },
  );

  it('is not satisfied by what was loaded for another, before it came', async () => {
    const { behind, row, database } = await setUp();
    const first = `1.queued.${'1'.repeat(32)}`;
    await behind.session(first, () => row('k'));
    database.set('k', 'new');
    expect(await behind.session(`1.queued.${'2'.repeat(32)}`, () => row('k'))).toBe('new');
  });

  it('is not satisfied by what a loader read when it did not have to read the primary', async () => {
    const { behind, row, load } = await setUp();
    behind.session(ELSEWHERE, () => row.peek('k')); // it has come
    await row('k');
    await behind.session(ELSEWHERE, () => row('k'));
    expect(load).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['nonsense', 'nonsense'],
    ['nothing', ''],
    ['an empty list', ','],
    ['more than a token', `${ELSEWHERE};`],
    ['the token without a name', '1.queued'],
    ['one of a later release', '2.0123456789abcdef.1'],
    ['a list with nonsense in it', `${ELSEWHERE},x`],
    ['a number', 7],
    ['a very long text', 'x'.repeat(100_000)],
    ['a very long list', Array.from({ length: 40 }, () => ELSEWHERE).join()],
    ['a header of somebody else', '\u0000\r\nset-cookie: a=b'],
  ])('%s is never an error: its values are loaded, and it is replaced by one that can be read', async (_name, sent) => {
    const { behind, row, database } = await setUp();
    await row('k');
    database.set('k', 'new');
    const told = await behind.session(sent as string, async () => {
      expect(await row('k')).toBe('new');
      return behind.sessionToken();
    });
    expect(told).toMatch(NAMELESS);
  });
});
