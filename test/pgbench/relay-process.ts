import { type CaptureStatus, createRelay } from '../../src/postgres/index.ts';
import { redis } from '../../src/redis/index.ts';
import { banking } from './capturing.ts';

// A relay in a process of its own, as it is in life. Tells what its capture says of itself, and ends with its parent.
const [database = '', url = ''] = process.argv.slice(2);
const relay = createRelay({ name: 'bank', ...redis({ url }), database, outbox: false, capture: banking });
relay.on((event) => {
  if (event.type === 'slot-waiting' || event.type === 'unknowable-change') console.error(event);
});
relay.start();
setInterval(() => process.send?.(relay.status().capture as CaptureStatus), 100);
process.on('disconnect', () => process.exit(0));
