import { Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { promisesSettled } from '../testing/fake-clock.ts';
import type { IntakeEvent } from './intake-event.ts';
import { createRules } from './rules.ts';
import { connectSubscribable, type Subscribable } from './subscribable.ts';

interface UserUpdated {
  readonly type: 'user.updated';
  readonly id: number;
}

const closing: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const it of closing.splice(0).toReversed()) await it.close();
});

function connect(subscribable: Subscribable<number>) {
  const cache = createCache({ name: 'test' });
  const rules = createRules<UserUpdated>(cache, { 'user.updated': (e) => key('user', e.id) });
  const heard: IntakeEvent<UserUpdated>[] = [];
  const connection = connectSubscribable(subscribable, rules, {
    fallback: cache,
    report: (event) => heard.push(event),
    source: 'users',
    event: (id) => (id < 0 ? undefined : { type: 'user.updated', id }),
  });
  closing.push(cache, connection);
  const handled = (): number[] => heard.flatMap((it) => (it.type === 'handled' ? it.events.map(({ id }) => id) : []));
  return { heard, handled, connection };
}

describe('an observable', () => {
  it('is listened to until the connection is closed', async () => {
    const subject = new Subject<number>();
    const { handled, connection } = connect(subject);
    for (const id of [1, -1, 2]) subject.next(id);
    expect(subject.observed).toBe(true);
    await connection.close();
    expect([handled(), subject.observed]).toEqual([[1, 2], false]);
  });

  it('is reported when it fails, and does not throw where nobody can catch it', async () => {
    const subject = new Subject<number>();
    const { heard } = connect(subject);
    const cause = new Error('bus is gone');
    subject.error(cause);
    expect(heard).toEqual([{ type: 'ended', source: 'users', cause }]);
  });

  it('is reported when it completes, and not after the connection was closed', async () => {
    const one = new Subject<number>();
    const first = connect(one);
    one.complete();
    expect(first.heard).toEqual([{ type: 'ended', source: 'users', cause: undefined }]);
    const two = new Subject<number>();
    const second = connect(two);
    await second.connection.close();
    two.complete();
    expect(second.heard).toEqual([]);
  });
});

/** A bus that calls back, and answers as the case says. */
class Bus {
  listeners = new Set<(value: number) => void>();

  readonly answer: (stop: () => void) => unknown;

  constructor(answer: (stop: () => void) => unknown) {
    this.answer = answer;
  }

  subscribe(listener: (value: number) => void): unknown {
    this.listeners.add(listener);
    return this.answer(() => this.listeners.delete(listener));
  }
}

describe('anything else with subscribe', () => {
  it.each<[string, (stop: () => void) => unknown]>([
    ['a function', (stop) => stop],
    ['an object with unsubscribe', (stop) => ({ unsubscribe: stop })],
    ['something disposable', (stop) => ({ [Symbol.dispose]: stop })],
    ['something disposed of asynchronously', (stop) => ({ [Symbol.asyncDispose]: async () => stop() })],
    ['a promise of a function', (stop) => Promise.resolve(stop)],
  ])('is left by %s', async (_, answer) => {
    const bus = new Bus(answer);
    const { handled, connection } = connect(bus);
    for (const listener of bus.listeners) listener(1);
    await connection.close();
    expect([handled(), bus.listeners.size]).toEqual([[1], 0]);
  });

  it('is not heard any more once closed, if it has no way to be left', async () => {
    const bus = new Bus(() => undefined);
    const { handled, connection } = connect(bus);
    await connection.close();
    for (const listener of bus.listeners) listener(1);
    expect([handled(), bus.listeners.size]).toEqual([[], 1]);
  });

  it('is reported when its subscription fails later', async () => {
    const cause = new Error('refused');
    const { heard } = connect(new Bus(() => Promise.reject(cause)));
    await promisesSettled();
    expect(heard).toEqual([{ type: 'ended', source: 'users', cause }]);
  });

  it('closes what was taken even if leaving the bus fails', async () => {
    const { connection } = connect(
      new Bus(() => () => {
        throw new Error('not subscribed');
      }),
    );
    await expect(connection.close()).rejects.toThrow('not subscribed');
    closing.pop();
  });
});

it('refuses what cannot be connected', () => {
  const base = { fallback: false, report: () => {} } as const;
  const rules = { handle: () => {} };
  expect(() => connectSubscribable({} as never, rules, { ...base, event: () => undefined })).toThrow('no subscribe()');
  expect(() => connectSubscribable(new Subject(), rules, { ...base, event: 1 as never })).toThrow('not a function');
});
