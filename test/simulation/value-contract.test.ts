import { afterEach, beforeEach, describe, it } from 'vitest';
import type { Lease } from '../../src/cache/lease.ts';
import type { Store } from '../../src/cache/store.ts';
import { leaseContract } from '../../src/testing/lease-contract.ts';
import { Scheduler } from '../../src/testing/scheduler.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Channel } from './channel.ts';
import { Latency } from './latency.ts';
import { Passing } from './passing.ts';
import { LeaseClient, ValueClient } from './value-client.ts';
import { ValueServer } from './value-server.ts';

function open(): { store: Store; lease: Lease; elapse: (ms: number) => Promise<void> } {
  const random = new SeededRandom(1);
  const scheduler = new Scheduler(random.fork());
  const clock = new VirtualClock(scheduler, random.fork());
  const latency = new Latency(random.fork(), { usual: [0.2, 3], slow: [3, 20], chance: 0.1 });
  const server = new ValueServer(scheduler, random.fork());
  const channel = new Channel<ValueServer>({ scheduler, random: random.fork(), clock, latency, route: () => server });
  const passing = new Passing(scheduler);
  const store = new ValueClient(channel);
  const lease = new LeaseClient(channel);
  return {
    store: {
      getMany: (keys) => passing.until(store.getMany(keys)),
      set: (key, bytes, ttl) => passing.until(store.set(key, bytes, ttl)),
      remove: (keys) => passing.until(store.remove(keys)),
      close: () => store.close(),
    },
    lease: {
      acquire: async (key, time) => {
        const answer = await passing.until(lease.acquire(key, time));
        if (!answer.granted) return answer;
        return {
          granted: true,
          release: () => passing.until(answer.release()),
          extend: (more) => passing.until(answer.extend(more)),
        };
      },
    },
    elapse: (ms) => passing.elapse(ms),
  };
}

const runner = { describe, it, beforeEach, afterEach };

storeContract(runner, {
  name: 'the store of the simulated fleet keeps the contract',
  open,
  skip: {
    'does not count what has run out': 'nothing in the fleet counts what it removes, so its server does not look',
  },
});

leaseContract(runner, { name: 'the lease of the simulated fleet keeps the contract', open });
