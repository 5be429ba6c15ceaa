import { startRedis } from '../servers/redis-server.ts';
import { Client, type Seen } from './client.ts';
import { Instance } from './instance.ts';
import { messageLatencies } from './message-latency.ts';
import { type Proxy, startProxy } from './proxy.ts';

export interface PairsOptions {
  /** Write-then-read pairs with the header, and as many without. */
  readonly pairs: number;
  readonly instances: number;
  readonly clients: number;
  /** How much later than they could all instances but the first hear of records, in ms. */
  readonly late: number;
}

/** Of one way to ask, with the header or without. */
export type Answers = Seen;

export interface Pairs {
  readonly withHeader: Answers;
  readonly without: Answers;
  /** From the call of an invalidation to its being applied by another node, in ms. */
  readonly message: readonly number[];
}

/** Clients that write and read at once, in front of several instances of a service behind one port. */
export async function pairs({ pairs: count, instances, clients, late }: PairsOptions): Promise<Pairs> {
  const server = await startRedis();
  const fleet = Array.from({ length: instances }, () => new Instance());
  let proxy: Proxy | undefined;
  try {
    proxy = await startProxy(
      await Promise.all(fleet.map((it, i) => it.start({ url: server.url, late: i === 0 ? 0 : late }))),
    );
    const { port } = proxy;
    const message = late === 0 ? await messageLatencies(server.url, 300) : [];
    // Whatever is slow at first is slow for neither.
    await ask(port, { count: Math.min(300, Math.ceil(count / 5)), clients, passes: false });
    const without = await ask(port, { count, clients, passes: false });
    return { withHeader: await ask(port, { count, clients, passes: true }), without, message };
  } finally {
    await proxy?.close();
    await Promise.all(fleet.map((it) => it.stop()));
    await server.stop();
  }
}

async function ask(
  port: number,
  { count, clients, passes }: { count: number; clients: number; passes: boolean },
): Promise<Answers> {
  const all = Array.from({ length: clients }, (_, i) => new Client(port, `${passes}-${i}`, passes));
  await Promise.all(all.map((it) => it.run(Math.ceil(count / clients))));
  return {
    older: all.reduce((sum, { seen }) => sum + seen.older, 0),
    afterWrite: all.flatMap(({ seen }) => seen.afterWrite),
    plain: all.flatMap(({ seen }) => seen.plain),
  };
}
