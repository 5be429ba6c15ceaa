import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cache, createCache, everything, key, type Logger, pattern, type Target, tag } from '../index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import type { Handled } from './handled.ts';
import { implies } from './implication.ts';
import type { Invalidator } from './invalidator.ts';
import type { Mode } from './mode.ts';
import { createRules } from './rules.ts';
import { defineRules } from './strategy.ts';

interface UserRenamed {
  readonly type: 'user.renamed';
  readonly userId: number;
}
interface OrderPaid {
  readonly type: 'order.paid';
  readonly userId: number;
  readonly amount: number;
}
type ShopEvent = UserRenamed | OrderPaid;

const renamed: UserRenamed = { type: 'user.renamed', userId: 7 };
const paid: OrderPaid = { type: 'order.paid', userId: 7, amount: 20 };

let cache: Cache;
beforeEach(() => {
  cache = createCache({ name: 'shop', clock: new FakeClock() });
});
afterEach(() => cache.close());

const identity = defineRules<UserRenamed>({ 'user.renamed': (e) => key('user', e.userId) }, { name: 'identity' });
const sales = defineRules<ShopEvent>(
  {
    'user.renamed': (e) => [tag(`buyer:${e.userId}`), key('user', e.userId)],
    'order.paid': [(e) => key('orders', e.userId), { when: (e) => e.amount > 100, targets: () => key('big-orders') }],
  },
  { name: 'sales' },
);

function outcomes(rules: { on(listener: (handled: Handled<ShopEvent>) => void): unknown }): Handled<ShopEvent>[] {
  const heard: Handled<ShopEvent>[] = [];
  rules.on((it) => heard.push(it));
  return heard;
}

describe('several rules', () => {
  it('of one event, each with its own condition', () => {
    const rules = createRules<ShopEvent>(cache, [sales]);
    expect(rules.targets(paid)).toEqual([key('orders', 7)]);
    expect(rules.targets({ ...paid, amount: 101 })).toEqual([key('orders', 7), key('big-orders')]);
  });

  it('of several strategies: what any of them names is stale, once, by one record', async () => {
    const rules = createRules<ShopEvent>(cache, [identity, sales]);
    expect(rules.targets(renamed)).toEqual([key('user', 7), tag('buyer:7')]);
    const invalidate = vi.spyOn(cache, 'invalidate');
    await rules.handle(renamed);
    expect(invalidate).toHaveBeenCalledTimes(1);
  });

  it.each<[unknown, string]>([
    [[{ 'user.renamed': () => [] }], 'is no strategy. Make it by defineRules({ ... })'],
    [[null], 'rules: null is no strategy'],
    [null, 'rules: null is no table'],
    ['rules', 'rules: "rules" is no table'],
    [{ 'order.paid': [() => [], 7] }, 'rules: "order.paid"[1] is not a function'],
    [{ 'order.paid': { targets: () => [], if: () => true } }, 'rules: "order.paid": there is no option "if"'],
    [{ 'order.paid': { targets: () => [], when: true } }, 'rules: `when` of "order.paid" is not a function'],
  ])('refuses %j', (rules, message) => {
    expect(() => createRules(cache, rules as [])).toThrow(message);
  });

  it('refuses options that nobody reads', () => {
    expect(() => createRules(cache, {}, { field: () => ({}) } as object)).toThrow(
      'createRules(): there is no option "field"',
    );
    expect(() => defineRules({}, { label: 'x' } as object)).toThrow('defineRules(): there is no option "label"');
  });
});

describe('a rule that fails', () => {
  const broken = defineRules<ShopEvent>({
    'user.renamed': () => {
      throw new Error('a mistake');
    },
    'order.paid': {
      when: () => {
        throw new Error('a mistake in a condition');
      },
      targets: () => everything(),
    },
  });

  it('keeps no other one from being asked: their targets are invalidated, then it rejects', async () => {
    const rules = createRules<ShopEvent>(cache, [broken, identity, sales]);
    const heard = outcomes(rules);
    await cache.getOrSet(['user', 7], () => 'Ann');
    await expect(rules.handle(renamed)).rejects.toThrow('a mistake');
    expect(await cache.has(['user', 7])).toBe(false);
    expect(heard.map((it) => it.outcome)).toEqual(['invalidated', 'failed']);
    await expect(rules.handle(paid)).rejects.toThrow('a mistake in a condition');
    expect(() => rules.targets(renamed)).toThrow('a mistake');
    expect(rules.explain(renamed).rules[0]).toMatchObject({ matched: false, error: { message: 'a mistake' } });
  });

  it('rejects with all that went wrong', async () => {
    const rules = createRules<ShopEvent>(cache, [broken, broken, identity]);
    await expect(rules.handle(renamed)).rejects.toMatchObject({
      message: '2 rules failed for "user.renamed". What others named is invalidated.',
      errors: [{ message: 'a mistake' }, { message: 'a mistake' }],
    });
  });

  it('of fields or of an id fails only after the invalidation', async () => {
    const fail = (): never => {
      throw new Error('no fields');
    };
    const rules = createRules<ShopEvent>(cache, [identity], { fields: fail, id: fail });
    await cache.getOrSet(['user', 7], () => 'Ann');
    await expect(rules.handle(renamed)).rejects.toBeInstanceOf(AggregateError);
    expect(await cache.has(['user', 7])).toBe(false);
  });

  it.each([null, undefined, 'user.renamed', {}, { type: 7 }])('%j is no event', async (event) => {
    const rules = createRules<ShopEvent>(cache, [identity]);
    await expect(rules.handle(event as unknown as ShopEvent)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('has no type'),
    });
  });
});

describe('cascades', () => {
  it('apply to what any strategy names, wherever they were declared', async () => {
    const users = cache.query({ name: 'user', load: (id: number) => `user ${id}` });
    const feed = cache.query({ name: 'feed', load: (userId: number, page: number) => `feed ${userId} ${page}` });
    const content = defineRules<ShopEvent>({}, { cascades: [implies(users, feed, (userId) => [userId])] });
    const rules = createRules<ShopEvent>(cache, [identity, content], {
      cascades: [implies('feed:{user}', 'tag digest')],
    });
    await Promise.all([users(7), feed(7, 1), feed(7, 2), feed(8, 1)]);
    await rules.handle(renamed);
    expect([users.peek(7), feed.peek(7, 1), feed.peek(7, 2), feed.peek(8, 1)]).toEqual([
      undefined,
      undefined,
      undefined,
      'feed 8 1',
    ]);
    expect(rules.explain(renamed).implied.map(({ by }) => by)).toEqual([
      'key user:{1} -> key feed:{1}',
      'feed:{user} -> tag digest',
    ]);
  });

  it('are refused as a circle when they come together, and when they are declared', () => {
    const one = defineRules<ShopEvent>({}, { cascades: [implies('a:{x}', 'b:{x}')] });
    const two = defineRules<ShopEvent>({}, { cascades: [implies('b:{x}', 'a:{x}')] });
    expect(() => createRules<ShopEvent>(cache, [one, two])).toThrow('"a:{x} -> b:{x} -> a:{x}" is a circle');
    expect(() => createRules(cache, {}, { cascades: [implies('a:{x}', 'a:{x}')] })).toThrow('is a circle');
    expect(() => defineRules({}, { cascades: [implies('a:{x}', 'a:{x}')] })).toThrow('is a circle');
  });
});

describe('modes', () => {
  const event: OrderPaid = { ...paid, amount: 500 };

  it('on, shadow, off: of an event in one strategy', async () => {
    const shadowed = defineRules<ShopEvent>(
      { 'order.paid': (e) => [key('orders', e.userId), key('totals')] },
      { name: 'totals', modes: { 'order.paid': 'shadow' } },
    );
    const rules = createRules<ShopEvent>(cache, [sales, shadowed]);
    const heard = outcomes(rules);
    const covered = vi.fn();
    rules.on('order.paid', (it) => void covered(it.outcome === 'shadowed' ? it.covered() : undefined));
    await cache.getOrSet(['totals', 1], () => 1);
    await cache.getOrSet(['orders', 7], () => 1);
    await rules.handle(event);
    expect([await cache.has(['totals', 1]), await cache.has(['orders', 7])]).toEqual([true, false]);
    expect(heard).toEqual([
      { outcome: 'shadowed', event, targets: [key('totals')], covered: expect.any(Function) },
      { outcome: 'invalidated', event, targets: [key('orders', 7), key('big-orders')], receipt: expect.anything() },
    ]);
    expect(covered.mock.calls).toEqual([[1], [undefined]]);
  });

  it('may change while the service runs, and go before those of strategies', async () => {
    let mode: Mode | undefined = 'off';
    const asked = vi.fn((_type: string) => mode);
    const rules = createRules<ShopEvent>(cache, [sales], { modes: asked });
    const heard = outcomes(rules);
    const before = cache.mark();
    expect(await rules.handle(event)).toBeUndefined();
    mode = 'shadow';
    expect(await rules.handle(event)).toBeUndefined();
    expect(cache.mark()).toBe(before);
    mode = undefined;
    expect(await rules.handle(event)).toMatchObject({ status: 'applied' });
    expect(heard.map((it) => it.outcome)).toEqual(['off', 'shadowed', 'invalidated']);
    expect(asked).toHaveBeenCalledWith('order.paid');
  });

  it('off: no rule is asked', async () => {
    const rule = vi.fn(() => everything());
    const rules = createRules<ShopEvent>(cache, { 'order.paid': rule }, { modes: { 'order.paid': 'off' } });
    expect(await rules.handle(event)).toBeUndefined();
    expect(rule).not.toHaveBeenCalled();
    expect(rules.explain(event)).toMatchObject({ known: true, targets: [], rules: [{ mode: 'off', matched: false }] });
  });

  it('a switch that fails leaves the event on, so that nothing stays stale, and is told', async () => {
    for (const modes of [() => 'dark' as Mode, (): Mode => JSON.parse('{') as Mode]) {
      const rules = createRules<ShopEvent>(cache, [identity], { modes });
      await cache.getOrSet(['user', 7], () => 'Ann');
      await expect(rules.handle(renamed)).rejects.toThrow(/modes: "dark" for "user.renamed" is none of|JSON/);
      expect(await cache.has(['user', 7])).toBe(false);
    }
  });

  it('a rule that fails in shadow fails nobody', async () => {
    const broken = (): Target => {
      throw new Error('not ready yet');
    };
    const rules = createRules<ShopEvent>(cache, { 'order.paid': broken }, { modes: { 'order.paid': 'shadow' } });
    const heard = outcomes(rules);
    expect(await rules.handle(event)).toBeUndefined();
    expect(heard.map((it) => it.outcome)).toEqual(['failed', 'nothing']);
  });

  it('refuses modes that are none, and modes of events without rules', () => {
    const make = (modes: object) => () => createRules<ShopEvent>(cache, [identity], { modes });
    expect(make({ 'user.renamed': 'dark' })).toThrow('modes: "dark" for "user.renamed" is none of on, shadow, off');
    expect(make({ 'user.rename': 'off' })).toThrow(
      'modes: "user.rename" has no rule that could be switched. Known are user.renamed',
    );
    expect(() => defineRules<ShopEvent>({}, { modes: { 'order.paid': 'off' } })).toThrow('has no rule');
  });
});

describe('unknown events', () => {
  it('are told once of each type, and not for ever', async () => {
    const rules = createRules<ShopEvent>(cache, [identity, defineRules<ShopEvent>({ 'order.paid': [] })]);
    const heard = outcomes(rules);
    const handle = (type: string) => rules.handle({ type } as unknown as ShopEvent);
    for (let i = 0; i < 3; i++) for (const type of ['user.lost', 'user.found', 'order.paid']) await handle(type);
    expect(heard.map((it) => `${it.outcome} ${it.event.type}`)).toEqual([
      'unknown user.lost',
      'unknown user.found',
      ...Array<string>(3).fill('nothing order.paid'),
    ]);
    for (let i = 0; i < 3_000; i++) await handle(`${'x'.repeat(i % 7)}${i}`);
    expect(heard.filter((it) => it.outcome === 'unknown')).toHaveLength(1_000);
    expect(await rules.handle(renamed)).toMatchObject({ status: 'applied' });
  });
});

describe('an event that comes twice', () => {
  it('is handled twice: the second change is not left stale', async () => {
    const rules = createRules<ShopEvent>(cache, [identity], { id: () => 'evt-1' });
    const ids: (string | undefined)[] = [];
    cache.on((it) => it.type === 'applied' && ids.push(it.record.id));
    for (const name of ['Ann', 'Bea', 'Cleo']) {
      expect(await cache.getOrSet(['user', 7], () => name)).toBe(name);
      await rules.handle(renamed);
    }
    expect(ids).toEqual([ids[0], ids[0], ids[0]]);
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('has message ids that follow from its id, its type and its targets', async () => {
    const ids = vi.fn<(id: string | undefined) => void>();
    const bus: Invalidator = {
      invalidate: (targets, options) => {
        ids(options.id);
        return cache.invalidate(targets, options);
      },
    };
    const handle = (id: string | undefined, event: ShopEvent) =>
      createRules<ShopEvent>(bus, [sales], { id: () => id }).handle(event);
    await handle('1', renamed);
    await handle('1', renamed);
    await handle('2', renamed);
    await handle('1', { ...renamed, userId: 8 });
    await handle('1', paid);
    await handle(undefined, paid);
    const [first, again, ...others] = ids.mock.calls.map(([id]) => id);
    expect(again).toBe(first);
    expect(new Set([first, ...others]).size).toBe(5);
    expect(others.at(-1)).toBeUndefined();
  });
});

describe('on', () => {
  it('tells of one event, or of all, until it is ended', async () => {
    const rules = createRules<ShopEvent>(cache, [sales]);
    const [all, orders] = [vi.fn(), vi.fn()];
    const end = rules.on(all);
    rules.on('order.paid', orders);
    await rules.handle(renamed);
    await rules.handle(paid);
    end();
    await rules.handle(paid);
    expect(all.mock.calls.map(([it]) => (it as Handled<ShopEvent>).event)).toEqual([renamed, paid]);
    expect(orders.mock.calls.map(([it]) => (it as Handled<ShopEvent>).event)).toEqual([paid, paid]);
    expect(() => rules.on('order.paid', undefined as unknown as () => void)).toThrow('on(): undefined is no function');
  });

  it('is harmed by no listener that fails', async () => {
    const error = vi.fn();
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error } satisfies Logger;
    const rules = createRules<ShopEvent>(cache, [sales], { logger });
    const heard = vi.fn();
    rules.on(() => {
      throw new Error('thrown');
    });
    const rejecting: () => unknown = () => Promise.reject(new Error('rejected'));
    rules.on(rejecting);
    rules.on(heard);
    expect(await rules.handle(paid)).toMatchObject({ status: 'applied' });
    expect(heard).toHaveBeenCalledTimes(1);
    await vi.waitFor(() =>
      expect(error.mock.calls.map(([fields]) => (fields as { err: Error }).err.message)).toEqual([
        'thrown',
        'rejected',
      ]),
    );
  });

  it('writes to the logger what people have to know, and survives one that fails', async () => {
    const lines: string[] = [];
    const write = (_fields: object, message: string): void => void lines.push(message);
    const logger: Logger = { debug: write, info: write, warn: write, error: write };
    const vague = defineRules<ShopEvent>({
      'user.renamed': (e, widened) => {
        widened('the old name is not known');
        return key('names', String(e.userId));
      },
      'order.paid': () => JSON.parse('{') as Target,
    });
    const rules = createRules<ShopEvent>(cache, [vague], { logger });
    await rules.handle(renamed);
    await rules.handle({ type: 'other' } as unknown as ShopEvent);
    await expect(rules.handle(paid)).rejects.toThrow('JSON');
    await createRules<ShopEvent>(cache, [identity], { logger, modes: () => 'shadow' }).handle(renamed);
    expect(lines).toEqual([
      'cache_rules: user.renamed invalidates more: the old name is not known',
      'cache_rules: other is known to no rule, and makes nothing stale',
      'cache_rules: order.paid could not be handled',
      'cache_rules: user.renamed would invalidate key user:7',
    ]);
    const dead = (): never => {
      throw new Error('disk full');
    };
    const silent = createRules<ShopEvent>(cache, [vague], {
      logger: { debug: dead, info: dead, warn: dead, error: dead },
    });
    expect(await silent.handle(renamed)).toMatchObject({ status: 'applied' });
  });
});

describe('explain', () => {
  it('names the rules that match, their targets, and the entries that are covered, and invalidates nothing', async () => {
    const rules = createRules<ShopEvent>(cache, [identity, sales]);
    await cache.getOrSet(['orders', 7, 1], () => 1);
    await cache.getOrSet(['orders', 8, 1], () => 1);
    const before = cache.mark();
    expect(rules.explain(paid)).toEqual({
      known: true,
      rules: [
        {
          strategy: 'sales',
          rule: 'order.paid[0]',
          mode: 'on',
          matched: true,
          targets: [key('orders', 7)],
          widened: [],
        },
        { strategy: 'sales', rule: 'order.paid[1]', mode: 'on', matched: false, targets: [], widened: [] },
      ],
      implied: [],
      targets: [key('orders', 7)],
      shadowed: [],
      entries: { keys: ['orders:7:1'], more: 0 },
    });
    expect(rules.explain(paid, { most: 0 }).entries).toEqual({ keys: [], more: 1 });
    expect(rules.explain({ type: 'other' } as unknown as ShopEvent)).toEqual({
      known: false,
      rules: [],
      implied: [],
      targets: [],
      shadowed: [],
      entries: { keys: [], more: 0 },
    });
    expect(cache.mark()).toBe(before);
    const bare: Invalidator = { invalidate: vi.fn<Invalidator['invalidate']>() };
    expect(createRules<ShopEvent>(bare, [sales]).explain(paid).entries).toBeUndefined();
    expect(() => rules.explain(paid, { limit: 1 } as object)).toThrow('explain(): there is no option "limit"');
  });

  it('names exactly the entries that are missed once the event is handled', async () => {
    const names = ['a', 'b'].flatMap((org) =>
      ['users', 'feed', 'page:1'].flatMap((it) => [`${org}:${it}:1`, `${org}:${it}:2`]),
    );
    const cached = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const name of names) if (await cache.has(name)) found.push(name);
      return found;
    };
    const target = fc.oneof(
      fc.constantFrom('a:users:1', 'a:users', 'b', 'b:page:1', 'c').map((it) => key(it)),
      fc.constantFrom('org:a', 'org:b', 'kind:feed').map(tag),
      fc.constantFrom('*:1', 'a:*:2', '?:feed:*').map(pattern),
    );
    const implication = fc
      .tuple(
        fc.constantFrom('a:users:{id}', 'tag org:b', 'b:{kind}:{id}'),
        fc.constantFrom('a:feed', 'tag kind:page', 'a:page:1:*'),
      )
      .map(([from, to]) => implies(from, to));
    const property = fc.asyncProperty(
      fc.array(target, { maxLength: 2 }),
      fc.array(target, { maxLength: 2 }),
      fc.array(implication, { maxLength: 2 }),
      async (some, others, cascades) => {
        for (const name of names) {
          const [org, kind] = name.split(':');
          await cache.getOrSet(name, () => name, { tags: [`org:${org}`, `kind:${kind}`] });
        }
        const strategies = [some, others].map((it) => defineRules<ShopEvent>({ 'user.renamed': () => it }));
        const rules = createRules<ShopEvent>(cache, strategies, { cascades });
        const { entries } = rules.explain(renamed);
        expect(await cached()).toEqual(names);
        await rules.handle(renamed);
        const left = await cached();
        expect([...(entries?.keys ?? [])].sort()).toEqual(names.filter((it) => !left.includes(it)).sort());
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});
