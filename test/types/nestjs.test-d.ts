/* oxlint-disable vitest/expect-expect -- a line that must not compile is an assertion, made by the compiler */
import { describe, expectTypeOf, it } from 'vitest';
import { key, type Query } from 'tidemark';
import { Cached, Invalidates, InvalidatesOn, queryOf, TidemarkModule } from 'tidemark/nestjs';

class Reports {
  tenant = 'a';

  @Cached()
  async all(): Promise<string[]> {
    return [];
  }

  @Cached({ ttl: '5m', tags: (orgId: string) => [`org:${orgId}`], key: (orgId: string) => [orgId] })
  async month(orgId: string, period?: string): Promise<number> {
    return orgId.length + (period?.length ?? 0);
  }

  @Cached({ instance: (self: Reports) => [self.tenant] })
  async own(): Promise<void> {}

  // @ts-expect-error -- the method takes a text first
  @Cached({ tags: (orgId: number) => [`org:${orgId}`] })
  async wrongArgument(orgId: string): Promise<string> {
    return orgId;
  }

  // @ts-expect-error -- the method has one argument
  @Cached({ tags: (orgId: string, period: string) => [orgId, period] })
  async tooManyArguments(orgId: string): Promise<string> {
    return orgId;
  }

  // @ts-expect-error -- its callers do not wait
  @Cached()
  synchronous(): string {
    return '';
  }

  // @ts-expect-error -- another class's instance
  @Cached({ instance: (self: { user: string }) => [self.user] })
  async notOurs(): Promise<void> {}

  // @ts-expect-error -- no such option
  @Cached({ tll: '5m' })
  async misspelt(): Promise<void> {}

  @Invalidates(([orgId]: [string], result: number) => [key('reports', orgId), key('all', result)])
  async set(orgId: string, _period: string): Promise<number> {
    return orgId.length;
  }

  @Invalidates(([id]) => key('reports', id))
  async remove(id: string): Promise<void> {
    void id;
  }

  // @ts-expect-error -- the method resolves with a number
  @Invalidates((_args, result: string) => key('reports', result))
  async wrongResult(): Promise<number> {
    return 1;
  }

  // @ts-expect-error -- a bare text is no target
  @Invalidates(() => 'reports')
  async noTarget(): Promise<void> {}

  @InvalidatesOn('user.updated', (event: { id: number }) => key('users', event.id))
  async plain(): Promise<void> {}
}

class UserRenamed {
  readonly id: number = 1;
}

@InvalidatesOn(UserRenamed, (event) => key('users', event.id))
class ByEvents {}

// @ts-expect-error -- the event has no such field
@InvalidatesOn(UserRenamed, (event) => key('users', event.name))
class ByWrongEvents {}

describe('queryOf', () => {
  it('has the types of the method', () => {
    const reports = new Reports();
    expectTypeOf(queryOf(reports, 'month')).toEqualTypeOf<Query<Parameters<Reports['month']>, number>>();
    expectTypeOf(queryOf(reports, 'all')).toEqualTypeOf<Query<[], string[]>>();
    // @ts-expect-error -- not a method that loads
    queryOf(reports, 'synchronous');
    // @ts-expect-error -- not an argument of the method
    queryOf(reports, 'month').at(1);
    void [ByEvents, ByWrongEvents];
  });
});

describe('TidemarkModule', () => {
  it('takes the options of a cache, or a cache', () => {
    TidemarkModule.forRoot({ name: 'shop', maxLag: '2s', as: 'audit', isGlobal: false, drain: '1s' });
    // @ts-expect-error -- neither a name nor a cache
    TidemarkModule.forRoot({ maxLag: '2s' });
    TidemarkModule.forRootAsync({ inject: [UserRenamed], useFactory: (it: UserRenamed) => ({ name: `${it.id}` }) });
  });
});
