import { type CaptureStatus, createRelay, type Relay } from '../../src/postgres/index.ts';
import { redis } from '../../src/redis/index.ts';
import { carriers } from './carrier.ts';
import type { Assignment, Order, Report } from './message.ts';

let relay: Relay | undefined;
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  if (order.type === 'begin') relay = begin(order.assignment);
  if (order.type !== 'status' || relay === undefined) return;
  const { state, outbox, log, capture } = relay.status();
  const works = outbox !== undefined || (capture as CaptureStatus).state === 'streaming';
  const about = { state, works, appended: outbox?.appended ?? 0, duplicates: log.duplicates };
  process.send?.({ type: 'status', ...about } satisfies Report);
});

function begin({ database, redis: url, carrier }: Assignment): Relay {
  const made = createRelay({ name: 'crash', ...redis({ url }), database, ...carriers[carrier]?.relay() });
  made.on((event) => {
    if (event.type === 'active') process.send?.({ type: 'ready' } satisfies Report);
    if (event.type === 'failed') console.error(event.part, event.error);
  });
  made.start();
  return made;
}
