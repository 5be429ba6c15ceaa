/* oxlint-disable vitest/expect-expect, typescript/no-unsafe-argument -- a line that must not compile is an assertion, made by the compiler */
import {
  createCache,
  createRules,
  defineRules,
  type EventOf,
  type Handled,
  implies,
  key,
  loadRules,
  parseRules,
  type Receipt,
  tag,
  type Target,
} from 'tidemark';
import { describe, expectTypeOf, it } from 'vitest';

const cache = createCache({ name: 'shop' });

type DomainEvents =
  | { readonly type: 'budget.updated'; readonly orgId: string }
  | { readonly type: 'po.received'; readonly orgId: string; readonly branchId: string };

describe('createRules', () => {
  it('knows the fields of each event', () => {
    const rules = createRules<DomainEvents>(
      cache,
      {
        'budget.updated': (event) => {
          expectTypeOf(event).toEqualTypeOf<{ readonly type: 'budget.updated'; readonly orgId: string }>();
          return tag(event.orgId);
        },
        'po.received': (event) => [tag(event.orgId), tag(event.branchId)],
      },
      { fields: (event) => ({ org: event.orgId }) },
    );
    expectTypeOf(rules.handle({ type: 'budget.updated', orgId: 'ORG1' })).resolves.toEqualTypeOf<Receipt | undefined>();
    expectTypeOf(rules.targets({ type: 'budget.updated', orgId: 'ORG1' })).toEqualTypeOf<readonly Target[]>();
  });

  it('needs no rule for events that make nothing stale', () => {
    createRules<DomainEvents>(cache, {});
    createRules<DomainEvents>(cache, { 'po.received': () => undefined });
    createRules<DomainEvents>(cache, { 'po.received': () => [] });
  });

  it('refuses an event that there is not', () => {
    // @ts-expect-error -- it is called budget.updated
    createRules<DomainEvents>(cache, { 'budget.update': () => tag('x') });
  });

  it('refuses a field that the event does not have', () => {
    // @ts-expect-error -- only po.received has a branch
    createRules<DomainEvents>(cache, { 'budget.updated': (event) => tag(event.branchId) });
    // @ts-expect-error -- not every event has a branch
    createRules<DomainEvents>(cache, {}, { fields: (event) => ({ branch: event.branchId }) });
  });

  it('refuses a rule that returns something else than targets', () => {
    // @ts-expect-error -- a bare string is no target
    createRules<DomainEvents>(cache, { 'budget.updated': (event) => event.orgId });
    // @ts-expect-error -- a bare string is no target, not in a list either
    createRules<DomainEvents>(cache, { 'budget.updated': (event) => [event.orgId] });
    // @ts-expect-error -- rules do not wait
    createRules<DomainEvents>(cache, { 'budget.updated': async (event) => tag(event.orgId) });
  });

  it('refuses to handle an event of another shape', () => {
    const rules = createRules<DomainEvents>(cache, {});
    // @ts-expect-error -- the organisation is missing
    void rules.handle({ type: 'budget.updated' });
    // @ts-expect-error -- the branch is missing
    void rules.handle({ type: 'po.received', orgId: 'ORG1' });
    // @ts-expect-error -- there is no such event
    void rules.handle({ type: 'po.lost', orgId: 'ORG1' });
    // @ts-expect-error -- fields in the log line are texts
    createRules<DomainEvents>(cache, {}, { fields: () => ({ org: 1 }) });
  });
});

type InventoryEvents = Extract<DomainEvents, { type: 'po.received' }>;

const budgets = cache.query({ name: 'budgets', load: (orgId: string, period: string) => orgId + period });
const users = cache.query({ name: 'users', load: (id: number) => id });
const feed = cache.query({ name: 'feed', load: (userId: number, page?: number) => userId + (page ?? 0) });

describe('a rule', () => {
  it('may have a condition, or be several', () => {
    createRules<DomainEvents>(cache, {
      'budget.updated': { when: (event) => event.orgId !== '', targets: (event) => budgets.at(event.orgId) },
      'po.received': [
        (event) => tag(event.branchId),
        { when: (event) => event.branchId !== '', targets: (event) => [tag(event.orgId)] },
      ],
    });
    createRules<DomainEvents>(cache, { 'budget.updated': [] });
  });

  it('refuses fields that the event does not have, in conditions and lists, too', () => {
    // @ts-expect-error -- only po.received has a branch
    createRules<DomainEvents>(cache, { 'budget.updated': { when: (e) => e.branchId === '', targets: () => [] } });
    // @ts-expect-error -- only po.received has a branch
    createRules<DomainEvents>(cache, { 'budget.updated': [(e) => tag(e.branchId)] });
    // @ts-expect-error -- a condition is true or false
    createRules<DomainEvents>(cache, { 'budget.updated': { when: async () => true, targets: () => [] } });
    // @ts-expect-error -- a condition of what?
    createRules<DomainEvents>(cache, { 'budget.updated': { when: () => true } });
  });

  it('refuses arguments of another type for queries and targets', () => {
    // @ts-expect-error -- an organisation is a text
    createRules<DomainEvents>(cache, { 'budget.updated': () => budgets.at(7) });
    // @ts-expect-error -- budgets have two arguments
    createRules<DomainEvents>(cache, { 'budget.updated': (e) => budgets.at(e.orgId, '2025-11', 'more') });
    // @ts-expect-error -- a user's id is a number
    createRules<DomainEvents>(cache, { 'budget.updated': (e) => users.at(e.orgId) });
    // @ts-expect-error -- a tag is a text
    createRules<DomainEvents>(cache, { 'budget.updated': () => tag(7) });
    // @ts-expect-error -- the first segment is none of these
    createRules<DomainEvents>(cache, { 'budget.updated': () => key({ orgId: 1 }) });
  });

  it('knows events that share one shape', () => {
    type Shared = { readonly type: 'a' | 'b'; readonly n: number } | { readonly type: 'c' };
    expectTypeOf<EventOf<Shared, 'a'>>().toEqualTypeOf<{ readonly type: 'a' | 'b'; readonly n: number }>();
    createRules<Shared>(cache, { a: (event) => tag(String(event.n)), c: () => tag('c') });
  });
});

describe('strategies', () => {
  const inventory = defineRules<InventoryEvents>({ 'po.received': (event) => tag(event.branchId) });

  it('of a domain are composed with those of others', () => {
    const all = defineRules<DomainEvents>({ 'budget.updated': (event) => budgets.at(event.orgId) });
    const rules = createRules<DomainEvents>(cache, [inventory, all], { modes: { 'po.received': 'shadow' } });
    expectTypeOf(rules.handle({ type: 'budget.updated', orgId: 'ORG1' })).resolves.toEqualTypeOf<Receipt | undefined>();
  });

  it('refuses a strategy for events that there are not, or that are different', () => {
    const lost = defineRules<{ type: 'po.lost'; orgId: string }>({ 'po.lost': () => [] });
    // @ts-expect-error -- there is no po.lost
    createRules<DomainEvents>(cache, [inventory, lost]);
    const other = defineRules<{ type: 'budget.updated'; amount: number }>({
      'budget.updated': (e) => tag(`${e.amount}`),
    });
    // @ts-expect-error -- this budget.updated has no amount
    createRules<DomainEvents>(cache, [other]);
    // @ts-expect-error -- a table is no strategy
    createRules<DomainEvents>(cache, [{ 'po.received': () => [] }]);
  });

  it('refuses wrong names of events, fields and modes', () => {
    // @ts-expect-error -- it is called po.received
    defineRules<InventoryEvents>({ 'po.receive': () => [] });
    // @ts-expect-error -- it has no period
    defineRules<InventoryEvents>({ 'po.received': (event) => tag(event.period) });
    // @ts-expect-error -- it is on, shadow or off
    defineRules<InventoryEvents>({}, { modes: { 'po.received': 'dark' } });
    // @ts-expect-error -- it is called po.received
    createRules<DomainEvents>(cache, {}, { modes: { 'po.receive': 'off' } });
    // @ts-expect-error -- an id is a text
    createRules<DomainEvents>(cache, {}, { id: () => 7 });
  });
});

describe('implies', () => {
  it('hands arguments on where their types agree', () => {
    implies(users, feed, (id) => [id]);
    implies(budgets, users, () => []);
    implies(budgets, budgets, (orgId, period) => [orgId, period]);
    implies(users, feed, (id) => [id, 1]);
    implies('user:{id}', ['feed:{id}']);
  });

  it('refuses those that do not', () => {
    // @ts-expect-error -- an organisation is no user
    implies(budgets, feed, (orgId) => [orgId]);
    // @ts-expect-error -- users have one argument
    implies(users, feed, (id, more) => [id, more]);
    // @ts-expect-error -- budgets have two
    implies(budgets, budgets, (orgId, period) => [orgId, period, period]);
    // @ts-expect-error -- which argument?
    implies(users, feed);
    // @ts-expect-error -- nothing can be made of an argument
    implies(users, feed, (id) => [id + 1]);
    // @ts-expect-error -- both in writing, or both queries
    implies(users, 'feed:{id}', (id) => [id]);
  });
});

describe('rules from data', () => {
  it('belong to the events that are said to be there', () => {
    const parsed = parseRules<InventoryEvents>({}, { events: { 'po.received': ['orgId', 'branchId'] } });
    createRules<DomainEvents>(cache, [parsed]);
    expectTypeOf(loadRules<DomainEvents>('rules.json')).resolves.toHaveProperty('events');
  });

  it('refuses events that are missing or unknown, and fields that they do not have', () => {
    // @ts-expect-error -- budget.updated is missing
    parseRules<DomainEvents>({}, { events: { 'po.received': [] } });
    // @ts-expect-error -- there is no po.lost
    parseRules<InventoryEvents>({}, { events: { 'po.received': [], 'po.lost': [] } });
    // @ts-expect-error -- it has no period
    parseRules<InventoryEvents>({}, { events: { 'po.received': ['period'] } });
  });
});

describe('on', () => {
  it('knows the event of what it hears', () => {
    const rules = createRules<DomainEvents>(cache, {});
    rules.on('po.received', (handled) => expectTypeOf(handled.event.branchId).toEqualTypeOf<string>());
    rules.on((handled) => {
      expectTypeOf(handled).toEqualTypeOf<Handled<DomainEvents>>();
      if (handled.outcome === 'invalidated') expectTypeOf(handled.receipt).toEqualTypeOf<Receipt>();
    });
    // @ts-expect-error -- there is no po.lost
    rules.on('po.lost', () => undefined);
    // @ts-expect-error -- not every event has a branch
    rules.on((handled) => void handled.event.branchId);
  });
});
