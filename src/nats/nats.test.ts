import { jetstream, type JetStreamClient as Client, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type NatsServer, startNats } from '../../test/servers/nats-server.ts';
import { createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import type { IntakeEvent } from '../events/intake-event.ts';
import type { EventHandler } from '../events/intake-options.ts';
import { createRules } from '../events/rules.ts';
import { Gate } from '../testing/gate.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { connectNats, type NatsOptions } from './core.ts';
import { connectJetStream, type JetStreamOptions } from './jetstream.ts';
import type { NatsMessage } from './message.ts';

interface UserUpdated {
  readonly type: 'user.updated';
  readonly id: number;
}

const SECOND = 1_000_000_000;

let server: NatsServer;
beforeAll(async () => {
  server = await startNats();
}, 60_000);
afterAll(() => server?.stop());

const closing: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const it of closing.splice(0).toReversed()) await it.close();
});

async function client(): Promise<NatsConnection> {
  const options = { servers: server.address, maxReconnectAttempts: -1, reconnectTimeWait: 20, reconnectJitter: 0 };
  const nats = await connect(options);
  closing.push(nats);
  return nats;
}

function read(message: NatsMessage): UserUpdated {
  return { type: 'user.updated', id: message.json<{ id: number }>().id };
}

/** A cache with rules, and what its bus reports. */
function fleet(wrap = (rules: EventHandler<UserUpdated>): EventHandler<UserUpdated> => rules) {
  const cache = createCache({ name: 'test' });
  closing.push(cache);
  const rules = createRules<UserUpdated>(cache, { 'user.updated': (e) => key('user', e.id) });
  const heard: IntakeEvent<UserUpdated>[] = [];
  const handled = (): number[] => heard.flatMap((it) => (it.type === 'handled' ? it.events.map(({ id }) => id) : []));
  const keep = (id: number) => cache.getOrSet(['user', id], () => `user ${id}`);
  const options = { fallback: cache, report: (it: IntakeEvent<UserUpdated>) => void heard.push(it), retries: 0 };
  return { cache, handler: wrap(rules), heard, handled, keep, has: (id: number) => cache.has(['user', id]), options };
}

describe('core NATS', () => {
  async function start(other: Partial<NatsOptions<UserUpdated>> = {}) {
    const scene = fleet();
    const nats = await client();
    const connected = connectNats(nats, scene.handler, {
      ...scene.options,
      events: { 'users.*.updated': read },
      ...other,
    });
    closing.push(connected);
    await nats.flush();
    const publish = async (...ids: number[]) => {
      for (const id of ids) nats.publish(`users.${id}.updated`, JSON.stringify({ id }));
      await nats.flush();
    };
    return { ...scene, nats, connected, publish };
  }

  it('hands messages to rules in order, by their subject', async () => {
    const { nats, publish, handled, keep, has } = await start();
    for (const id of [1, 2, 3]) await keep(id);
    nats.publish('users.3.deleted', '{"id":3}');
    await publish(1, 2);
    await waitUntil(() => handled().length === 2);
    expect(handled()).toEqual([1, 2]);
    expect([await has(1), await has(2), await has(3)]).toEqual([false, false, true]);
  });

  it('gives up a message that is not JSON, covers everything, and goes on', async () => {
    const { nats, publish, handled, heard, keep, has, connected } = await start();
    await keep(7);
    nats.publish('users.1.updated', 'no JSON');
    await publish(2);
    await waitUntil(() => handled().length === 1);
    expect(heard.map(({ type }) => type)).toEqual(['failed', 'parked', 'handled']);
    expect([await has(7), connected.parked().length]).toEqual([false, 1]);
  });

  it('gives each message to one of a queue group', async () => {
    const [a, b] = [await start({ queue: 'caches' }), await start({ queue: 'caches' })];
    const ids = Array.from({ length: 20 }, (_, id) => id);
    await a.publish(...ids);
    await waitUntil(() => a.handled().length + b.handled().length >= 20);
    expect([...a.handled(), ...b.handled()].toSorted((x, y) => x - y)).toEqual(ids);
  });

  it('covers everything once it is connected again: messages may be gone', async () => {
    const { publish, handled, heard, keep, has } = await start();
    await keep(7);
    await server.restart();
    await waitUntil(() => heard.some(({ type }) => type === 'gap'));
    expect(heard).toMatchObject([{ type: 'gap', source: 'nats', covered: true }]);
    expect(await has(7)).toBe(false);
    await publish(1);
    await waitUntil(() => handled().length === 1);
  });

  it('says so when the connection ends without being told to, and nothing when it is told to', async () => {
    const { nats, heard } = await start();
    await nats.close();
    await waitUntil(() => heard.length > 0);
    expect(heard).toMatchObject([{ type: 'ended', source: 'nats' }]);
    const other = await start();
    await other.connected.close();
    await other.nats.close();
    expect(other.heard).toEqual([]);
  });

  it('hears nothing once it is closed, and leaves the connection open', async () => {
    const { connected, publish, handled, nats } = await start();
    await connected.close();
    await publish(1);
    expect([handled(), nats.isClosed()]).toEqual([[], false]);
  });

  it.each([
    [{ events: { 'a..b': read } }, 'is no subject'],
    [{ events: {} }, 'names no event'],
    [{ subject: 'a' }, 'no option "subject"'],
  ])('refuses %j', (wrong, word) => {
    const { options } = fleet();
    const nats = { subscribe: () => {}, status: () => {} } as never;
    expect(() =>
      connectNats(nats, { handle: () => {} }, { ...options, events: { a: read }, ...wrong } as never),
    ).toThrow(word);
    expect(() => connectNats({} as never, { handle: () => {} }, { ...options, events: { a: read } })).toThrow(
      'no connection',
    );
  });
});

describe('a stream', () => {
  let streams = 0;

  interface Start extends Partial<Pick<JetStreamOptions<UserUpdated>, 'fallback' | 'redeliverAfter'>> {
    readonly consumer?: object;
    readonly limits?: object;
  }

  async function start(
    { consumer = {}, limits = {}, ...other }: Start = {},
    wrap?: (rules: EventHandler<UserUpdated>) => EventHandler<UserUpdated>,
  ) {
    const scene = fleet(wrap);
    const nats = await client();
    const manager = await jetstreamManager(nats);
    const name = `S${++streams}`;
    await manager.streams.add({ name, subjects: [`${name}.>`], ...limits });
    const made = { durable_name: 'caches', ack_policy: 'explicit', ack_wait: SECOND, ...consumer } as const;
    await manager.consumers.add(name, made);
    const js = jetstream(nats);
    const options: JetStreamOptions<UserUpdated> = {
      ...scene.options,
      stream: name,
      durable: 'caches',
      events: { [`${name}.*.updated`]: read },
      ...other,
    };
    const open = async () => {
      const connected = await connectJetStream(js, scene.handler, options);
      closing.push(connected);
      return connected;
    };
    const publish = async (...ids: number[]) => {
      for (const id of ids) await js.publish(`${name}.${id}.updated`, JSON.stringify({ id }), { timeout: 500 });
    };
    return { ...scene, nats, manager, name, js, open, publish, options };
  }

  /** Everything that was published is acknowledged, or terminated. */
  async function settled(manager: JetStreamManager, stream: string, count: number): Promise<void> {
    await waitUntil(
      async () => {
        const { ack_floor, num_ack_pending, num_pending } = await manager.consumers.info(stream, 'caches');
        return ack_floor.stream_seq === count && num_ack_pending === 0 && num_pending === 0;
      },
      { what: `${count} acknowledgements`, timeout: 8_000 },
    );
  }

  it('hands messages to rules in order and acknowledges them', async () => {
    const { open, publish, handled, manager, name, js, keep, has, heard } = await start();
    for (const id of [1, 2]) await keep(id);
    await publish(1);
    await open();
    await publish(3, 4);
    await js.publish(`${name}.x`, 'nobody reads it');
    await js.publish(`${name}.x`, 'nobody reads it');
    await settled(manager, name, 5);
    expect([handled(), await has(1), await has(2)]).toEqual([[1, 3, 4], false, true]);
    expect(heard.filter(({ type }) => type === 'unmapped')).toEqual([
      { type: 'unmapped', source: `nats:${name}`, name: `${name}.x` },
    ]);
  });

  it('acknowledges a message only once the log has its invalidation, and keeps the server waiting meanwhile', async () => {
    let status = 'queued';
    const attempts: number[] = [];
    const { open, publish, manager, name, handled } = await start({}, () => ({
      handle: (it) => {
        attempts.push(it.id);
        return Promise.resolve({ status });
      },
    }));
    await open();
    await publish(1, 2);
    await waitUntil(() => attempts.length >= 6, { timeout: 8_000 }); // Longer than ack_wait.
    const info = await manager.consumers.info(name, 'caches');
    expect(info).toMatchObject({ num_ack_pending: 2, num_redelivered: 0, ack_floor: { stream_seq: 0 } });
    expect(new Set(attempts)).toEqual(new Set([1]));
    status = 'appended';
    await settled(manager, name, 2);
    expect(handled()).toEqual([1, 2]);
  });

  it('terminates a message that it gives up, once everything is covered', async () => {
    const { open, publish, js, name, manager, handled, heard, keep, has } = await start();
    await keep(7);
    const connected = await open();
    await js.publish(`${name}.1.updated`, 'no JSON');
    await publish(2);
    await settled(manager, name, 2);
    expect(handled()).toEqual([2]);
    expect(connected.parked()).toMatchObject([{ source: `nats:${name}`, id: '1', covered: true }]);
    expect(await has(7)).toBe(false);
    expect(heard.filter(({ type }) => type === 'failed')).toHaveLength(1);
  });

  it('has a message delivered again later that it gave up and could not cover, until it is handled', async () => {
    let broken = true;
    const { open, publish, manager, name, handled, options } = await start(
      { fallback: false, redeliverAfter: 50 },
      (rules) => ({
        handle: (it) => (broken && it.id === 1 ? Promise.reject(new Error('broken')) : rules.handle(it)),
      }),
    );
    expect(options.fallback).toBe(false);
    const connected = await open();
    await publish(1, 2);
    await waitUntil(() => handled().length === 1 && connected.statistics().failures >= 3);
    expect([handled(), connected.parked().length]).toEqual([[2], 1]);
    broken = false;
    await settled(manager, name, 2);
    expect([handled(), connected.parked()]).toEqual([[2, 1], []]);
  });

  it('goes on after its server was killed and started again', async () => {
    const { open, publish, manager, name, handled } = await start();
    await open();
    await publish(1, 2);
    await settled(manager, name, 2);
    await server.restart();
    // What is published while nobody is connected is refused, and published again.
    for (const id of [3, 4]) await waitUntil(() => publish(id).then(() => true), { timeout: 20_000 });
    await waitUntil(() => handled().includes(4), { timeout: 20_000 });
    expect([...new Set(handled())]).toEqual([1, 2, 3, 4]);
  }, 60_000);

  it('leaves what is not handled at the end to whoever reads on', async () => {
    const gate = new Gate();
    const first = await start({}, () => ({ handle: () => gate.promise }));
    const connected = await first.open();
    await first.publish(1, 2);
    await waitUntil(() => connected.statistics().waiting === 2);
    const closed = await connected.close({ drain: 0 });
    expect(closed.unhandled.map(({ id }) => id)).toEqual(['1', '2']);
    expect(closed.covered).toBe(false);
    const second = fleet();
    const js: Client = first.js;
    closing.push(await connectJetStream(js, second.handler, { ...first.options, ...second.options }));
    await settled(first.manager, first.name, 2);
    expect(new Set(second.handled())).toEqual(new Set([1, 2]));
  });

  it('covers everything when the stream has dropped messages that were not acknowledged', async () => {
    const { open, publish, manager, name, heard, keep, has } = await start({ limits: { max_msgs: 1 } });
    await publish(1);
    const connected = await open();
    await settled(manager, name, 1);
    await connected.close();
    await publish(2, 3, 4);
    await keep(2);
    heard.length = 0;
    await open();
    await settled(manager, name, 4);
    expect(heard).toMatchObject([
      { type: 'gap', source: `nats:${name}`, covered: true },
      { type: 'handled', id: '4' },
    ]);
    expect(await has(2)).toBe(false);
  });

  it('covers everything when its consumer was deleted and made anew, and says meanwhile that nothing comes', async () => {
    const { open, publish, manager, name, heard, handled, keep, has } = await start();
    await keep(7);
    await open();
    await publish(1);
    await settled(manager, name, 1);
    await manager.consumers.delete(name, 'caches');
    await waitUntil(() => heard.some(({ type }) => type === 'ended'), { timeout: 20_000 });
    await publish(2);
    const consumer = { durable_name: 'caches', ack_policy: 'explicit', deliver_policy: 'new' } as const;
    await manager.consumers.add(name, consumer);
    await waitUntil(() => heard.some(({ type }) => type === 'gap'), { timeout: 20_000 });
    expect(await has(7)).toBe(false);
    await publish(3);
    await waitUntil(() => handled().includes(3));
    expect(handled()).toEqual([1, 3]);
  }, 60_000);

  it.each([
    [{ ack_policy: 'none' }, 'acknowledges by the policy "none"'],
    [{ max_deliver: 5 }, 'after 5 deliveries'],
    [{ inactive_threshold: 60 * SECOND }, 'deleted when nobody listens'],
  ])('refuses a consumer with %j, which would lose messages', async (consumer, word) => {
    const { open } = await start({ consumer });
    await expect(open()).rejects.toThrow(word);
  });

  it('refuses wrong options, and streams that are not there', async () => {
    const { js, options } = await start();
    const rules = { handle: () => {} };
    await expect(connectJetStream(js, rules, { ...options, durable: '' })).rejects.toThrow('durable');
    await expect(connectJetStream(js, rules, { ...options, stream: 'none' })).rejects.toThrow('stream not found');
    await expect(connectJetStream(js, rules, { ...options, redeliver: 1 } as never)).rejects.toThrow('"redeliver"');
  });
});
