import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { createCache, createRules, key } from '../../src/index.ts';
import { connectJetStream, type NatsMessage } from '../../src/nats/index.ts';
import { redis } from '../../src/redis/index.ts';

/** What the process is told. */
export interface Start {
  readonly nats: string;
  readonly redis: string;
  /** The row whose message it keeps in its hands for ever. */
  readonly hangAt?: number;
}

interface Changed {
  readonly type: 'row.changed';
  readonly row: number;
}

/** A node that reads a stream; it stays, with a message in its hands, before the row at which it was told to hang. */
async function run({ nats: servers, redis: url, hangAt }: Start): Promise<void> {
  const cache = createCache({ name: 'shop', ...redis({ url }) });
  await cache.ready({ timeout: '20s' });
  const rules = createRules<Changed>(cache, { 'row.changed': (e) => key('row', e.row) });
  const handler = {
    handle: (event: Changed): Promise<unknown> => {
      if (event.row !== hangAt) return rules.handle(event);
      process.send?.('hanging');
      return new Promise(() => {});
    },
  };
  await connectJetStream(jetstream(await connect({ servers })), handler, {
    fallback: cache,
    report: ({ type }) => process.send?.(type),
    stream: 'ROWS',
    durable: 'caches',
    events: { 'rows.*': (message: NatsMessage) => ({ type: 'row.changed', row: Number(message.string()) }) },
  });
}

process.on('disconnect', () => process.exit(0));
process.once('message', (start: Start) => {
  run(start).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
