/* oxlint-disable vitest/expect-expect -- a line that must not compile is an assertion, made by the compiler */
import {
  createPublisher,
  createSubscriber,
  key,
  type Gap,
  type Message,
  memoryLog,
  type Published,
  tag,
  type Target,
} from 'tidemark';
import { redis } from 'tidemark/redis';
import { describe, expectTypeOf, it } from 'vitest';

interface Entities {
  readonly user: number;
  readonly post: `p${number}`;
}

const log = memoryLog();

describe('createPublisher', () => {
  const publisher = createPublisher<Entities>({ name: 'shop', log });

  it('knows the id of each entity', () => {
    expectTypeOf(publisher.publish('user', 42)).resolves.toEqualTypeOf<Published>();
    void publisher.publish('post', 'p1', { action: 'updated', fields: { org: '7' } });
    void publisher.publishAll([
      { entity: 'user', id: 1 },
      { entity: 'post', id: 'p1', action: 'updated' },
    ]);
    // @ts-expect-error -- it is called user
    void publisher.publish('users', 42);
    // @ts-expect-error -- users have numbers
    void publisher.publish('user', '42');
    // @ts-expect-error -- an id is missing
    void publisher.publish('user');
    // @ts-expect-error -- the id of a user is none of a post
    void publisher.publishAll([{ entity: 'post', id: 1 }]);
    // @ts-expect-error -- fields are texts
    void publisher.publish('user', 42, { fields: { org: 7 } });
    // @ts-expect-error -- a misspelt detail
    void publisher.publish('user', 42, { acton: 'updated' });
  });

  it('takes targets, and no bare strings', () => {
    void publisher.publishTargets(tag('org:7'));
    void publisher.publishTargets([key('user', 42), tag('org:7')], { event: 'import.done' });
    // @ts-expect-error -- a bare string is no target
    void publisher.publishTargets('user:42');
  });

  it('wants every entity, if it is told what they cover', () => {
    createPublisher<Entities>({ name: 'shop', log, entities: { user: (id) => tag(`u${id.toFixed()}`), post: true } });
    // @ts-expect-error -- posts are missing
    createPublisher<Entities>({ name: 'shop', log, entities: { user: true } });
    // @ts-expect-error -- an entity that there is not
    createPublisher<Entities>({ name: 'shop', log, entities: { user: true, post: true, page: true } });
    // @ts-expect-error -- a bare string is no target
    createPublisher<Entities>({ name: 'shop', log, entities: { user: (id) => `user:${id}`, post: true } });
  });

  it('takes any entity where none is declared', () => {
    const any = createPublisher({ name: 'shop', log });
    void any.publish('anything', 'a');
    // @ts-expect-error -- ids that are not declared are texts
    void any.publish('anything', 1);
  });

  it('takes what redis() brings, and needs a log', () => {
    createPublisher({ name: 'shop', ...redis({ url: 'redis://localhost' }) });
    // @ts-expect-error -- there is no log
    createPublisher({ name: 'shop' });
    // @ts-expect-error -- ids are texts or numbers
    createPublisher<{ user: Date }>({ name: 'shop', log });
  });
});

describe('createSubscriber', () => {
  const onGap = (): void => {};

  it('tells what a message is about, with the text of its id', () => {
    createSubscriber<Entities>({
      name: 'shop',
      log,
      onGap,
      onMessage: (message, { attempt, signal }) => {
        expectTypeOf(message).toEqualTypeOf<Message<Entities>>();
        expectTypeOf(message.targets).toEqualTypeOf<readonly Target[]>();
        expectTypeOf(attempt).toEqualTypeOf<number>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        if (message.entity === 'user') expectTypeOf(message.entityId).toEqualTypeOf<`${number}`>();
        else if (message.entity === 'post') expectTypeOf(message.entityId).toEqualTypeOf<`p${number}`>();
        else expectTypeOf(message.entityId).toEqualTypeOf<undefined>();
        // @ts-expect-error -- there is no such entity
        if (message.entity === 'page') return;
      },
    });
  });

  it('tells of gaps by their reason', () => {
    createSubscriber<Entities>({
      name: 'shop',
      log,
      onMessage: () => {},
      onGap: (gap) => {
        expectTypeOf(gap).toEqualTypeOf<Gap<Entities>>();
        if (gap.reason === 'failed') expectTypeOf(gap.message).toEqualTypeOf<Message<Entities>>();
        // @ts-expect-error -- only of a message that failed
        else void gap.message;
      },
    });
  });

  it('needs both callbacks, and knows only its own entities', () => {
    // @ts-expect-error -- who does not drop its cache after a gap serves stale values
    createSubscriber({ name: 'shop', log, onMessage: () => {} });
    // @ts-expect-error -- nothing to call
    createSubscriber({ name: 'shop', log, onGap });
    createSubscriber<Entities>({ name: 'shop', log, onGap, onMessage: () => {}, entities: ['user'] });
    // @ts-expect-error -- an entity that there is not
    createSubscriber<Entities>({ name: 'shop', log, onGap, onMessage: () => {}, entities: ['page'] });
  });
});
