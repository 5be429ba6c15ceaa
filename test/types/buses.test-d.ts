import { EventEmitter } from 'node:events';
import { Subject } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import {
  type Connection,
  connectEmitter,
  connectEventTarget,
  connectSubscribable,
  createCache,
  createIntake,
  createRules,
  key,
  type Subscribable,
} from 'tidemark';

type Events =
  | { readonly type: 'user.updated'; readonly id: number }
  | { readonly type: 'org.closed'; readonly org: string };

const cache = createCache({ name: 'types' });
const rules = createRules<Events>(cache, { 'user.updated': (e) => key('user', e.id) });
const options = { fallback: cache, report: () => {} };

describe('connectEmitter', () => {
  const typed = new EventEmitter<{ renamed: [id: number]; closed: [org: string] }>();

  it('knows the arguments of a typed emitter, and the events of the rules', () => {
    const events = { renamed: (id: number) => ({ type: 'user.updated', id }) as const };
    expectTypeOf(connectEmitter(typed, rules, { ...options, events })).toEqualTypeOf<Connection<Events>>();
    connectEmitter(typed, rules, { ...options, events: { renamed: (id) => ({ type: 'user.updated', id }) } });
    connectEmitter(typed, rules, { ...options, events: { closed: (org) => [{ type: 'org.closed', org }] } });
    // @ts-expect-error -- no such event is emitted
    connectEmitter(typed, rules, { ...options, events: { renamd: () => undefined } });
    // @ts-expect-error -- the organisation's id is a text
    connectEmitter(typed, rules, { ...options, events: { closed: (org) => ({ type: 'user.updated', id: org }) } });
    // @ts-expect-error -- no rule knows this type
    connectEmitter(typed, rules, { ...options, events: { renamed: (id) => ({ type: 'user.changed', id }) } });
    // @ts-expect-error -- the event lacks its id
    connectEmitter(typed, rules, { ...options, events: { renamed: () => ({ type: 'user.updated' }) } });
  });

  it('lets the author of an untyped one say what its arguments are', () => {
    const events = { renamed: (user: { id: number }) => ({ type: 'user.updated', id: user.id }) as const };
    expectTypeOf(connectEmitter(new EventEmitter(), rules, { ...options, events })).toEqualTypeOf<Connection<Events>>();
    // @ts-expect-error -- no rule knows this type
    connectEmitter(new EventEmitter(), rules, { ...options, events: { renamed: () => ({ type: 'nothing' }) } });
  });

  it('needs to be told what becomes of events that are given up', () => {
    expectTypeOf(options).toHaveProperty('fallback');
    // @ts-expect-error -- `fallback` is missing
    connectEmitter(typed, rules, { report: () => {}, events: {} });
  });
});

describe('other sources', () => {
  it('are typed by what they bring and by what the rules take', () => {
    const subject = new Subject<{ userId: number }>();
    connectSubscribable(subject, rules, { ...options, event: (it) => ({ type: 'user.updated', id: it.userId }) });
    // @ts-expect-error -- the value has no such field
    connectSubscribable(subject, rules, { ...options, event: (it) => ({ type: 'user.updated', id: it.user }) });
    connectEventTarget(new EventTarget(), rules, {
      ...options,
      events: { renamed: (event) => ({ type: 'org.closed', org: event.type }) },
    });
    expectTypeOf(subject).toExtend<Subscribable<{ userId: number }>>();
    const intake = createIntake(rules, { ...options, until: 'appended' });
    void intake.take({ type: 'user.updated', id: 1 }, { source: 'users', id: 'm1' });
    // @ts-expect-error -- no rule knows this type
    void intake.take({ type: 'user.deleted', id: 1 });
  });
});
