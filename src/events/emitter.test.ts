import { EventEmitter } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { promisesSettled } from '../testing/fake-clock.ts';
import type { Connection } from './connection.ts';
import { connectEmitter, type EmitterOptions } from './emitter.ts';
import type { IntakeEvent } from './intake-event.ts';
import { createRules } from './rules.ts';

interface UserUpdated {
  readonly type: 'user.updated';
  readonly id: number;
}

type Bus = EventEmitter<{ 'user renamed': [id: number, name: string]; 'user seen': [id: number] }>;

const closing: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const it of closing.splice(0).toReversed()) await it.close();
});

function scene(options: Partial<EmitterOptions<Bus, UserUpdated>> = {}) {
  const cache = createCache({ name: 'test' });
  const rules = createRules<UserUpdated>(cache, { 'user.updated': (e) => key('user', e.id) });
  const bus: Bus = new EventEmitter();
  const heard: IntakeEvent<UserUpdated>[] = [];
  const connection: Connection<UserUpdated> = connectEmitter(bus, rules, {
    fallback: cache,
    report: (event) => heard.push(event),
    retries: 0,
    events: { 'user renamed': (id) => ({ type: 'user.updated', id }) },
    ...options,
  });
  closing.push(cache, connection);
  const keep = (id: number) => cache.getOrSet(['user', id], () => `user ${id}`);
  return { cache, bus, heard, connection, keep };
}

it('hands what an emitter emits to the rules, in order, and does not make emit wait', async () => {
  const { cache, bus, heard, keep, connection } = scene();
  for (const id of [1, 2, 3]) await keep(id);
  expect(bus.emit('user renamed', 1, 'Ada')).toBe(true);
  bus.emit('user renamed', 2, 'Bo');
  expect(bus.emit('user seen', 3)).toBe(false);
  await connection.close();
  expect(heard.map((it) => it.type === 'handled' && it.events[0]?.id)).toEqual([1, 2]);
  expect([await cache.has('user:1'), await cache.has('user:2'), await cache.has('user:3')]).toEqual([
    false,
    false,
    true,
  ]);
});

it('does not let a mapping that throws reach who emits, and covers everything instead', async () => {
  const error = new Error('no such user');
  const { cache, bus, connection, keep } = scene({
    events: {
      'user renamed': () => {
        throw error;
      },
    },
  });
  await keep(1);
  bus.emit('user renamed', 2, 'Bo');
  await connection.close();
  expect(connection.parked()).toMatchObject([{ source: 'emitter', covered: true, error }]);
  expect(await cache.has('user:1')).toBe(false);
  expect(connection.statistics()).toMatchObject({ handled: 0, givenUp: 1, parked: 1 });
});

it('tries parked events again by hand', async () => {
  let broken = true;
  const { bus, connection } = scene({
    fallback: false,
    events: {
      'user renamed': (id) => {
        if (broken) throw new Error('broken');
        return { type: 'user.updated', id };
      },
    },
  });
  bus.emit('user renamed', 2, 'Bo');
  await promisesSettled();
  expect(await connection.retryParked()).toEqual({ handled: 0, parked: 1 });
  broken = false;
  expect(await connection.retryParked()).toEqual({ handled: 1, parked: 0 });
});

it('hears nothing any more once it is closed, and leaves the listeners of others', async () => {
  const { bus, heard, connection } = scene();
  let others = 0;
  bus.on('user renamed', () => others++);
  const twice = [connection.close(), connection.close()];
  bus.emit('user renamed', 1, 'Ada');
  expect(await Promise.all(twice)).toEqual([
    { unhandled: [], covered: false },
    { unhandled: [], covered: false },
  ]);
  expect([heard, others, bus.listenerCount('user renamed')]).toEqual([[], 1, 1]);
});

it.each([
  [{}, { events: {} }, 'names no event'],
  [new EventEmitter(), { events: {} }, 'names no event'],
  [new EventEmitter(), { events: { a: 'b' } }, '"a" is not a function'],
  [new EventEmitter(), { events: { a: () => undefined }, event: 1 }, 'no option "event"'],
  [{}, { events: { a: () => undefined } }, 'no on() and off()'],
] as [unknown, object, string][])('refuses what cannot be connected: %#', (bus, options, word) => {
  const base = { fallback: false, report: () => {} };
  expect(() => connectEmitter(bus as never, { handle: () => {} }, { ...base, ...options } as never)).toThrow(word);
});
