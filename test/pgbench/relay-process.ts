import { type CaptureStatus, createRelay } from '../../src/postgres/index.ts';
import { redis } from '../../src/redis/index.ts';
import { banking, NAME } from './capturing.ts';
import type { Assignment, Order, Report } from './message.ts';

// A relay in a process of its own, as it is in life. Tells what its capture says of itself, and ends with its parent.
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  if (order.type === 'begin') begin(order.assignment);
});

function begin({ database, redis: url, mapping, maxLag }: Assignment): void {
  const relay = createRelay({
    name: NAME,
    maxLag,
    ...redis({ url }),
    database,
    outbox: false,
    capture: banking(mapping),
  });
  relay.on((event) => {
    if (event.type === 'slot-waiting' || event.type === 'unknowable-change') console.error(event);
  });
  relay.start();
  setInterval(() => {
    const status = relay.status().capture as CaptureStatus;
    process.send?.({ type: 'captured', status } satisfies Report);
  }, 50);
}
