import { afterEach, beforeEach, describe, it } from 'vitest';
import type { InvalidationLog, LogOptions } from '../../src/coherence/log.ts';
import type { ServerCheck } from '../../src/coherence/server-check.ts';
import { Stopwatch } from '../../src/coherence/stopwatch.ts';
import { checkContract } from '../../src/testing/check-contract.ts';
import { logContract } from '../../src/testing/log-contract.ts';
import type { LogSubject } from '../../src/testing/log-subject.ts';
import { Scheduler } from '../../src/testing/scheduler.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Channel } from './channel.ts';
import { Deployment } from './deployment.ts';
import { Latency } from './latency.ts';
import { LogClient } from './log-client.ts';
import { Passing } from './passing.ts';

// The simulated fleet is proof of anything only if its log is one: its server and client keep the contract that every
// adapter has to keep.

const options: LogOptions = { slots: 1024, hashes: 3, maxLag: 60_000, maxLife: 5_000 };

function open(replicas: number): LogSubject & { readonly check: ServerCheck } {
  const random = new SeededRandom(replicas);
  const scheduler = new Scheduler(random.fork());
  const clock = new VirtualClock(scheduler, random.fork());
  const stopwatch = new Stopwatch(clock);
  const latency = new Latency(random.fork(), { usual: [0.2, 3], slow: [3, 20], chance: 0.1 });
  const deployment = new Deployment({
    scheduler,
    random: random.fork(),
    options,
    removed: new Set(),
    kept: 10_000,
    servers: 1 + replicas,
    clock: 1_700_000_000_000,
    latency,
    appended: () => {},
  });
  const server = deployment.main;
  const channel = () => new Channel({ scheduler, random: random.fork(), clock, latency, route: () => server });
  const settings = { data: channel(), follower: channel(), replicas, maxLag: options.maxLag, limit: 10_000 };
  const client = new LogClient({ ...settings, removed: new Set() }, { stopwatch });
  const passing = new Passing(scheduler);
  return {
    log: passed(client, passing),
    check: { check: (labels) => passing.until(client.check(labels)) },
    options,
    now: () => stopwatch.now(),
    elapse: (ms) => passing.elapse(ms),
    trim: (number) => {
      const keep = server.keys.stream?.records.filter((it) => it.number > number).length ?? 0;
      server.execute({ type: 'trim', keep });
    },
    lose: () => server.execute({ type: 'flush' }),
  };
}

function passed(log: LogClient, passing: Passing): InvalidationLog {
  return {
    append: (drafts) => passing.until(log.append(drafts)),
    read: (after, how) => passing.until(log.read(after, how)),
    snapshot: () => passing.until(log.snapshot()),
    close: () => log.close(),
  };
}

const runner = { describe, it, beforeEach, afterEach };
const elsewhere = 'the server is another process';
const noAnnouncements = 'nothing in the fleet announces yet, and its server keeps no announcements';
const skip = {
  'attach: hands over the state, then each record in the turn of its append': elsewhere,
  'attach: who follows knows what the log knows': elsewhere,
  'attach: each follower hears of everything, until it detaches': elsewhere,
  'snapshot: is what a follower knows, after any records and announcements': noAnnouncements,
  'state: an announcement is open until a record closes it': noAnnouncements,
  'read: several wait at once, and each is woken': 'it has one connection to wait on, and gives up who waits there',
  'close: ends the readings that wait': 'its connections end as those of a killed process do: nobody is told',
};

describe.each([
  ['one server', 0],
  ['a primary and a replica', 1],
])('the log of the simulated fleet, on %s', (_, replicas) => {
  logContract(runner, {
    name: 'keeps the contract of logs',
    open: () => open(replicas),
    close: ({ log }) => log.close(),
    skip,
  });
  checkContract(runner, {
    name: 'keeps the contract of server checks',
    open: () => open(replicas),
    close: ({ log }) => log.close(),
    skip: { 'knows what the snapshot knows, after any records and announcements': noAnnouncements },
  });
});
