import { createCache, key } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';

/** How long after an invalidation was begun another node has applied it, in ms. */
export async function messageLatencies(url: string, times: number): Promise<number[]> {
  const [writer, reader] = [0, 1].map(() => createCache({ name: 'message', ...redis({ url }) }));
  if (writer === undefined || reader === undefined) throw new Error('unreachable');
  await Promise.all([writer.ready(), reader.ready()]);
  const latencies: number[] = [];
  for (let i = 0; i < times; i++) {
    let told = 0;
    const applied = new Promise<void>((resolve) => {
      const stop = reader.on((event) => {
        if (event.type !== 'applied') return;
        told = performance.now();
        stop();
        resolve();
      });
    });
    const began = performance.now();
    await writer.invalidate(key('k'));
    await applied;
    latencies.push(told - began);
  }
  await Promise.all([writer.close(), reader.close()]);
  return latencies;
}
