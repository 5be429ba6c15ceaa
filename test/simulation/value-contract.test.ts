import { afterEach, beforeEach, describe, it } from 'vitest';
import type { BreakerBoard } from '../../src/cache/breaker.ts';
import type { Lease } from '../../src/cache/lease.ts';
import type { Store } from '../../src/cache/store.ts';
import { breakerBoardContract } from '../../src/testing/breaker-board-contract.ts';
import { leaseContract } from '../../src/testing/lease-contract.ts';
import { Scheduler } from '../../src/testing/scheduler.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { storeContract } from '../../src/testing/store-contract.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { BoardClient } from './board-client.ts';
import { Channel } from './channel.ts';
import { Counts } from './coverage.ts';
import { Latency } from './latency.ts';
import { Passing } from './passing.ts';
import { BatchingValueClient, LeaseClient, ValueClient } from './value-client.ts';
import { ValueServer } from './value-server.ts';

interface Opened {
  readonly store: Store;
  readonly lease: Lease;
  readonly board: BreakerBoard;
  readonly other: BreakerBoard;
  readonly elapse: (ms: number) => Promise<void>;
}

function open(batches: boolean): Opened {
  const random = new SeededRandom(1);
  const scheduler = new Scheduler(random.fork());
  const clock = new VirtualClock(scheduler, random.fork());
  const latency = new Latency(random.fork(), { usual: [0.2, 3], slow: [3, 20], chance: 0.1 });
  const server = new ValueServer(scheduler, random.fork());
  const connect = (): Channel<ValueServer> =>
    new Channel({ scheduler, random: random.fork(), clock, latency, route: () => server });
  const channel = connect();
  const passing = new Passing(scheduler);
  const store: Store = batches
    ? new BatchingValueClient(channel, new Counts())
    : new ValueClient(channel, new Counts());
  const lease = new LeaseClient(channel);
  return {
    store: {
      getMany: (keys) => passing.until(store.getMany(keys)),
      set: (key, bytes, ttl) => passing.until(store.set(key, bytes, ttl)),
      ...(store.setMany === undefined
        ? {}
        : { setMany: (entries) => passing.until((store as Required<Store>).setMany(entries)) }),
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
    board: boardOf(new BoardClient(channel), passing),
    other: boardOf(new BoardClient(connect()), passing),
    elapse: (ms) => passing.elapse(ms),
  };
}

function boardOf(board: BreakerBoard, passing: Passing): BreakerBoard {
  return {
    read: (name) => passing.until(board.read(name)),
    open: (name, change) => passing.until(board.open(name, change)),
    claim: async (name, change) => {
      const answer = await passing.until(board.claim(name, change));
      if (!answer.granted) return answer;
      return {
        granted: true,
        succeeded: () => passing.until(answer.succeeded()),
        failed: (time) => passing.until(answer.failed(time)),
      };
    },
  };
}

const runner = { describe, it, beforeEach, afterEach };

for (const batches of [true, false])
  storeContract(runner, {
    name: `the store of the simulated fleet keeps the contract, ${batches ? 'many values a request' : 'one value a request'}`,
    open: () => open(batches),
    skip: {
      'does not count what has run out': 'nothing in the fleet counts what it removes, so its server does not look',
    },
  });

leaseContract(runner, { name: 'the lease of the simulated fleet keeps the contract', open: () => open(true) });

breakerBoardContract(runner, { name: 'the board of the simulated fleet keeps the contract', open: () => open(true) });
