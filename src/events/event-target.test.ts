import { expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { connectEventTarget } from './event-target.ts';
import { createRules } from './rules.ts';

interface UserUpdated {
  readonly type: 'user.updated';
  readonly id: number;
}

/** Node 20 has no `CustomEvent` in its types. */
class Renamed extends Event {
  readonly detail: number;

  constructor(detail: number) {
    super('user-renamed');
    this.detail = detail;
  }
}

it('hands the events of an EventTarget to the rules, and stops when it is closed', async () => {
  const cache = createCache({ name: 'test' });
  const rules = createRules<UserUpdated>(cache, { 'user.updated': (e) => key('user', e.id) });
  const target = new EventTarget();
  const connection = connectEventTarget(target, rules, {
    fallback: cache,
    report: () => {},
    events: { 'user-renamed': (event: Renamed) => ({ type: 'user.updated', id: event.detail }) },
  });
  for (const id of [1, 2]) await cache.getOrSet(['user', id], () => id);
  target.dispatchEvent(new Renamed(1));
  expect(await connection.close()).toEqual({ unhandled: [], covered: false });
  target.dispatchEvent(new Renamed(2));
  expect([await cache.has('user:1'), await cache.has('user:2')]).toEqual([false, true]);
  expect(connection.statistics().handled).toBe(1);
  await cache.close();
});

it('refuses what is no EventTarget', () => {
  const options = { fallback: false, report: () => {}, events: { a: () => undefined } } as const;
  expect(() => connectEventTarget({} as never, { handle: () => {} }, options)).toThrow('no EventTarget');
});
