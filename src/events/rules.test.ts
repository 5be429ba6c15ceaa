import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { createCache, everything, key, pattern, type Target, tag } from '../index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import type { RuleMap } from './rule.ts';
import type { Invalidator } from './invalidator.ts';
import { createRules } from './rules.ts';

type DomainEvents =
  | { readonly type: 'budget.updated'; readonly orgId: string }
  | { readonly type: 'po.received'; readonly orgId: string; readonly branchId: string }
  | { readonly type: 'user.renamed'; readonly id: number };

/** Reports of organisations, and the rules that bind them to what happens. */
function setUp() {
  const messages: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      messages.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const cache = createCache({
    name: 'shop',
    clock: new FakeClock(),
    logger: pino({ base: null, timestamp: false }, stream),
  });
  const report = (name: string) => cache.query({ name: `fr:${name}`, load: (orgId: string) => `${name} of ${orgId}` });
  const budgets = report('budgets');
  const overview = report('overview');
  const rankings = report('rankings');
  const rules = createRules<DomainEvents>(
    cache,
    {
      'budget.updated': (event) => budgets.at(event.orgId),
      'po.received': (event) => [overview.at(event.orgId), rankings.at(event.orgId), tag(`branch:${event.branchId}`)],
    },
    { fields: (event) => ('orgId' in event ? { org: event.orgId } : { user: String(event.id) }) },
  );
  const cached = (): string[] =>
    ['ORG1', 'ORG2'].flatMap((org) => [budgets, overview, rankings].flatMap((query) => query.peek(org) ?? []));
  const fill = () => Promise.all(['ORG1', 'ORG2'].flatMap((org) => [budgets, overview, rankings].map((it) => it(org))));
  return { cache, rules, cached, fill, messages };
}

describe('handle', () => {
  it('invalidates what the event makes stale, and nothing else', async () => {
    const { cache, rules, cached, fill } = setUp();
    await fill();
    const receipt = await rules.handle({ type: 'budget.updated', orgId: 'ORG1' });
    expect(receipt).toEqual({ status: 'applied', token: cache.mark() });
    expect(cached()).toEqual([
      'overview of ORG1',
      'rankings of ORG1',
      'budgets of ORG2',
      'overview of ORG2',
      'rankings of ORG2',
    ]);
  });

  it('invalidates several targets by one record', async () => {
    const { cache, rules, cached, fill } = setUp();
    await fill();
    const before = cache.mark();
    await rules.handle({ type: 'po.received', orgId: 'ORG2', branchId: 'B1' });
    expect(cached()).toEqual(['budgets of ORG1', 'overview of ORG1', 'rankings of ORG1', 'budgets of ORG2']);
    const number = (token: string) => Number.parseInt(token.split('.')[2] as string, 36);
    expect(number(cache.mark())).toBe(number(before) + 1);
  });

  // "The same event twice in 60 s is 'deduplicated': the second write stays stale."
  it('invalidates for the same event as often as it comes', async () => {
    const { rules, cached, fill } = setUp();
    for (let i = 0; i < 3; i++) {
      await fill();
      await rules.handle({ type: 'budget.updated', orgId: 'ORG1' });
      expect(cached()).not.toContain('budgets of ORG1');
    }
  });

  it('does nothing for an event without a rule, or one whose rule names nothing', async () => {
    const { cache, rules } = setUp();
    const before = cache.mark();
    expect(await rules.handle({ type: 'user.renamed', id: 1 })).toBeUndefined();
    const silent = createRules<DomainEvents>(cache, { 'user.renamed': () => undefined, 'po.received': () => [] });
    expect(await silent.handle({ type: 'user.renamed', id: 1 })).toBeUndefined();
    expect(await silent.handle({ type: 'po.received', orgId: 'ORG1', branchId: 'B1' })).toBeUndefined();
    expect(cache.mark()).toBe(before);
  });

  it.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    'takes no rule from elsewhere for an event called %s',
    async (type) => {
      const { rules } = setUp();
      expect(await rules.handle({ type } as unknown as DomainEvents)).toBeUndefined();
    },
  );

  it('tells of the event and its fields, in the line of the log and to every node', async () => {
    const { cache, rules, messages } = setUp();
    const causes: unknown[] = [];
    cache.on((event) => {
      if (event.type === 'applied') causes.push(event.record.cause);
    });
    const receipt = await rules.handle({ type: 'po.received', orgId: 'ORG1', branchId: 'B1' });
    expect(causes).toEqual([{ event: 'po.received', fields: { org: 'ORG1' } }]);
    expect(messages.at(-1)).toEqual({
      level: 30,
      event: 'cache_bust',
      event_type: 'po.received',
      org: 'ORG1',
      prefixes: ['fr:overview:ORG1', 'fr:rankings:ORG1'],
      tags: ['branch:B1'],
      patterns: [],
      operation: 'invalidate',
      status: 'applied',
      position: receipt?.token,
      ms: 0,
      timestamp: '2023-11-14T22:13:20.000Z',
      msg: 'cache_bust org=ORG1 prefixes=fr:overview:ORG1,fr:rankings:ORG1 tags=branch:B1',
    });
  });

  it('needs no fields', async () => {
    const { cache } = setUp();
    const invalidate = vi.fn<Invalidator['invalidate']>((targets, options) => cache.invalidate(targets, options));
    const rules = createRules<DomainEvents>({ invalidate }, { 'budget.updated': () => everything() });
    await rules.handle({ type: 'budget.updated', orgId: 'ORG1' });
    expect(invalidate.mock.calls).toEqual([[[everything()], { cause: { event: 'budget.updated' } }]]);
  });

  it('rejects with what a rule throws, and invalidates nothing', async () => {
    const error = new Error('a mistake in a rule');
    const invalidate = vi.fn<Invalidator['invalidate']>();
    const rules = createRules<DomainEvents>(
      { invalidate },
      {
        'budget.updated': () => {
          throw error;
        },
      },
    );
    await expect(rules.handle({ type: 'budget.updated', orgId: 'ORG1' })).rejects.toBe(error);
    expect(invalidate).not.toHaveBeenCalled();
  });

  it.each<[unknown, string]>([
    ['fr:budgets', '"fr:budgets"'],
    [['fr:budgets'], '"fr:budgets"'],
    [[key('a'), { kind: 'tag', tag: 't' }], '[object Object]'],
    [null, 'null'],
    [7, '7'],
    [Promise.resolve(key('a')), '[object Promise]'],
  ])('rejects where a rule returns something else than targets: %j', async (returned, shown) => {
    const { cache } = setUp();
    const before = cache.mark();
    const rules = createRules<DomainEvents>(cache, { 'budget.updated': () => returned as Target });
    await expect(rules.handle({ type: 'budget.updated', orgId: 'ORG1' })).rejects.toMatchObject({
      code: 'INVALID_TARGET',
      message: `The rule for "budget.updated" returned ${shown}, which is not a target. Return key(...), tag(...), pattern(...), everything() or query.at(...).`,
    });
    expect(cache.mark()).toBe(before);
  });

  it('rejects once the cache is closed', async () => {
    const { cache, rules } = setUp();
    await cache.close();
    await expect(rules.handle({ type: 'budget.updated', orgId: 'ORG1' })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('targets', () => {
  it('says what an event makes stale, and invalidates nothing', async () => {
    const { cache, rules, fill, cached } = setUp();
    await fill();
    expect(rules.targets({ type: 'po.received', orgId: 'ORG1', branchId: 'B1' })).toEqual([
      key('fr:overview:ORG1'),
      key('fr:rankings:ORG1'),
      tag('branch:B1'),
    ]);
    expect(rules.targets({ type: 'user.renamed', id: 1 })).toEqual([]);
    expect(cached()).toHaveLength(6);
    expect(
      createRules<DomainEvents>(cache, { 'user.renamed': () => pattern('a:*') }).targets({
        type: 'user.renamed',
        id: 1,
      }),
    ).toEqual([pattern('a:*')]);
  });
});

describe('createRules', () => {
  it.each([[null], ['fr:budgets'], [{}], [key('a')]])('refuses a rule that is no function: %j', (rule) => {
    const { cache } = setUp();
    const map = { 'budget.updated': rule } as unknown as RuleMap<DomainEvents>;
    expect(() => createRules<DomainEvents>(cache, map)).toThrow(
      'rules: "budget.updated" is not a function. Give a function from the event to its targets, or { when, targets }.',
    );
  });
});
