import { Redis } from 'ioredis';
import { createCache } from 'tidemark';
import { redis } from 'tidemark/redis';

/*
 * Another process that follows: tells its parent when each message has arrived, in ns of the clock that all processes of a
 * machine share.
 */
const [how, url] = process.argv.slice(2) as ['publish' | 'tidemark' | 'storm', string];

process.on('disconnect', () => process.exit());

const tell = (message: object): void => void process.send?.(message);

/** In `'storm'` the target names when it was sent: what is behind is worked out here. */
const behind: number[] = [];

if (how === 'publish') {
  const client = new Redis(url);
  client.on('message', (_channel, id) => tell({ id, at: String(process.hrtime.bigint()) }));
  await client.subscribe('bench');
} else {
  const cache = createCache({ name: 'bench', ...redis({ url }), memory: { maxEntries: 10 } });
  cache.on((event) => {
    if (event.type !== 'applied') return;
    const now = process.hrtime.bigint();
    const target = event.record.targets?.at(-1) ?? '';
    const id = target.slice(target.lastIndexOf(':') + 1);
    if (how === 'tidemark') tell({ id, at: String(now) });
    else if (/^\d+$/.test(id)) behind.push(Number(now - BigInt(id)) / 1e6);
  });
  await cache.ready();
}

process.on('message', () => {
  tell({ behind: behind.splice(0) });
});
tell({ ready: true });
