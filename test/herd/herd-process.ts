import { Redis } from 'ioredis';
import { createCache } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import type { Assignment, Order, Report } from './message.ts';

const waiting = new Map<number, () => void>();
const counts = { reads: 0, loads: 0, unanswered: 0 };
const errors: string[] = [];
let requests = 0;
let started: ReturnType<typeof begin> | undefined;

process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  if (order.type === 'begin') started = begin(order.assignment);
  else if (order.type === 'loaded') {
    waiting.get(order.request)?.();
    waiting.delete(order.request);
  } else void started?.[order.type]();
});

function report(it: Report): void {
  process.send?.(it, () => {});
}

function begin(assignment: Assignment) {
  const { node, ports, concurrency, fleet, entries, processes, readers } = assignment;
  const sentinels = ports.map((port) => ({ host: '127.0.0.1', port }));
  const client = new Redis({ sentinels, name: 'main', lazyConnect: true });
  client.on('error', () => {});
  const cache = createCache({
    name: 'herd',
    ...redis({ client }),
    loads: { concurrency, fleet },
    memory: { maxEntries: 2_000 },
    freeze: false,
  });
  cache.on((event) => {
    if (event.type === 'epoch') report({ type: 'epoch', number: 1 });
    if (event.type === 'attached') report({ type: 'attached' });
    if (event.type === 'loaded') counts.loads++;
    if (event.type === 'lease-failed' || event.type === 'places-failed') counts.unanswered++;
  });
  const load = async (key: string): Promise<string> => {
    const request = ++requests;
    await new Promise<void>((resolve) => {
      waiting.set(request, resolve);
      report({ type: 'load', request, key });
    });
    return `value of ${key}`;
  };
  const entry = cache.query({ name: 'entry', load: (i: number) => load(String(i)), ttl: '1h' });
  let reading = true;

  /** Its share of the entries, some at a time. */
  async function fill(): Promise<void> {
    const own = Array.from({ length: Math.ceil(entries / processes) }, (_, i) => i * processes + node);
    const mine = own.filter((i) => i < entries);
    const worker = async (): Promise<void> => {
      for (let i = mine.pop(); i !== undefined; i = mine.pop()) await entry(i);
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    report({ type: 'filled' });
  }

  /** Most reads are of one entry in a hundred, which all processes want. */
  async function reader(): Promise<void> {
    while (reading) {
      const hot = Math.random() < 0.8;
      const i = Math.floor(Math.random() * (hot ? entries / 100 : entries));
      await entry(i).then(
        () => counts.reads++,
        (error: unknown) => errors.push(String(error)),
      );
      await new Promise((resolve) => setTimeout(resolve, 20 + 40 * Math.random()));
    }
  }

  return {
    fill,
    read: (): void => {
      for (let i = 0; i < readers; i++) void reader();
    },
    close: async (): Promise<void> => {
      reading = false;
      await cache.close();
      client.disconnect();
      report({ type: 'closed', ...counts, errors });
      process.disconnect();
    },
  };
}
