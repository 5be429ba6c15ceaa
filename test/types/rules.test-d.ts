/* oxlint-disable vitest/expect-expect, typescript/no-unsafe-argument -- a line that must not compile is an assertion, made by the compiler */
import { createCache, createRules, type Receipt, tag, type Target } from 'tidemark';
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
