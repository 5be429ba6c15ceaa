import { setTimeout as wait } from 'node:timers/promises';
import { redisKeys } from '../../src/redis/keys.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { ask } from '../servers/redis-ask.ts';
import type { Deployment } from './deployment.ts';
import type { Fleet } from './fleet.ts';
import type { Member } from './member.ts';

/** What a fault may lay hands on. */
export interface Scene {
  readonly name: string;
  readonly maxLag: number;
  readonly random: SeededRandom;
  readonly deployment: Deployment;
  readonly fleet: Fleet;
}

/** What befalls the fleet again and again, and what it is built of for that. */
export interface Fault {
  /** Servers beside the primary. */
  readonly replicas: number;
  /** How many of them must confirm. */
  readonly confirming: number;
  /** Further arguments of the primary. */
  readonly args: readonly string[];
  /** Bytes of records that the log keeps. */
  readonly history: number;
  /** Writes that a writer makes at once now and then. */
  readonly burst: number;
  /** One blow; resolves when it is over. Nothing where nothing is to happen. */
  readonly strike?: (scene: Scene) => Promise<void>;
}

const PLAIN: Fault = { replicas: 0, confirming: 0, args: [], history: 2 ** 23, burst: 5 };
/** In ms, as the issue has it. */
const PAUSE = 3_000;

/** By the name that the command line has for it. */
export const faults = {
  none: PLAIN,
  /** Killed and empty when it is back. */
  kill: {
    ...PLAIN,
    strike: async ({ deployment: { primary }, random }) => {
      await primary.kill();
      await wait(random.between(50, 800));
      await primary.restart();
    },
  },
  pause: {
    ...PLAIN,
    strike: async ({ deployment: { primary } }) => {
      primary.signal('SIGSTOP');
      await wait(PAUSE);
      primary.signal('SIGCONT');
    },
  },
  /** Told to end, and to keep its data or not. */
  restart: {
    ...PLAIN,
    strike: async ({ deployment: { primary }, random }) => {
      const { pid } = primary;
      // The server ends instead of answering.
      await ask(primary.port, 'SHUTDOWN', random.chance(0.7) ? 'SAVE' : 'NOSAVE').catch(() => {});
      await waitUntil(() => isGone(pid), { timeout: 10_000, what: 'the server to end' });
      await wait(random.between(0, 300));
      await primary.restart();
    },
  },
  failover: {
    ...PLAIN,
    replicas: 1,
    strike: ({ deployment, random }) => deployment.failOver(() => wait(random.between(0, 600))),
  },
  'split-brain': {
    ...PLAIN,
    replicas: 2,
    confirming: 1,
    strike: async ({ deployment, random, maxLag, fleet }) => {
      const nodes = new Set([...fleet.members.keys()].filter(() => random.chance(0.5)));
      await deployment.split(nodes, random.chance(0.5), () => wait(maxLag * random.between(0.3, 3)));
    },
  },
  /** Records are gone before a process that has stopped for a moment has read them. */
  trim: {
    ...PLAIN,
    history: 4_096,
    burst: 100,
    strike: async ({ fleet, random, maxLag }) => {
      await stop(random.pick(fleet.members), maxLag * random.between(0.1, 0.8));
    },
  },
  /** Keys of the log are deleted one by one, evicted under memory pressure, and all are gone at once. */
  'evict-metadata': {
    ...PLAIN,
    args: ['--maxmemory', '8mb', '--maxmemory-policy', 'allkeys-lru'],
    strike: async ({ deployment: { primary }, name, random }) => {
      const { log, stream, table, bans, nodes } = redisKeys(name);
      if (random.chance(0.6)) await ask(primary.port, 'DEL', random.pick([log, stream, table, bans, nodes]));
      else if (random.chance(0.3)) await ask(primary.port, 'FLUSHALL');
      else
        for (let i = 0; i < 64; i++)
          await ask(primary.port, 'SETRANGE', `filler:${random.below(1_000)}`, '131072', '.');
    },
  },
  'stop-process': {
    ...PLAIN,
    strike: async ({ fleet, random, maxLag }) => {
      await stop(random.pick(fleet.members), maxLag * random.between(1.1, 2.5));
    },
  },
  'kill-process': { ...PLAIN, strike: ({ fleet, random }) => fleet.replace(random.below(fleet.members.length)) },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

export function faultNamed(name: string): FaultName {
  if (Object.hasOwn(faults, name)) return name as FaultName;
  throw new Error(`--fault: there is no fault ${name}. Give one of: ${Object.keys(faults).join(', ')}`);
}

async function stop(member: Member, ms: number): Promise<void> {
  member.signal('SIGSTOP');
  await wait(ms);
  member.signal('SIGCONT');
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
