import { type FaultKind, isOfCapture } from './fault-kind.ts';
import type { Fleet } from './fleet.ts';
import type { Life } from './member.ts';
import { RELAY_STRIKES } from './relay-strike.ts';

/** Lets one fault begin; each ends by itself. */
export function strike(fleet: Fleet, kind: FaultKind): void {
  fleet.world.counts.add('fault', kind);
  if (!HARMLESS.has(kind) && !isOfCapture(kind)) disturb(fleet, undefined, Number.MAX_SAFE_INTEGER);
  const text = STRIKES[kind](fleet);
  fleet.world.history.add({ type: 'fault', text: `${kind}: ${text}` });
}

/** Strict writes of a node, or of all, are not promised from their commit on: it may not reach the log for so many ms. */
function disturb({ world: { history, scheduler } }: Fleet, node: number | undefined, ms: number): void {
  history.add({ type: 'disturbed', node, until: scheduler.now + ms });
}

/** Faults that keep nobody from reaching the log, or nobody but a node that they name themselves. */
const HARMLESS: ReadonlySet<FaultKind> = new Set([
  'cut-data',
  'cut-follower',
  'cut-values',
  'stall-data',
  'stall-follower',
  'stall-values',
  'kill',
  'trim',
  'empty',
  'empty-unheard',
  'lose-state',
  'lose-stream',
  'lose-table',
  'lose-bans',
  'lose-nodes',
  'evict',
  'lose-writes',
  'values-fail',
  'lose-leases',
  'loaders-fail',
  'loaders-down',
  'loaders-slow',
  'replica-lag',
  'kill-relay',
  'pause-relay',
]);

type Strike = (fleet: Fleet) => string;

const cut =
  (name: 'data' | 'follower' | 'values'): Strike =>
  (fleet) => {
    const { random } = fleet.world;
    const life = fleet.anyLife();
    const noticed = random.chance(0.7);
    life?.[name].cut(noticed);
    disturb(fleet, life?.node, fleet.world.plan.maxLag * 2);
    return `${name} connection of node ${life?.node}${noticed ? '' : ', unnoticed'}`;
  };

const stall =
  (name: 'data' | 'follower' | 'values'): Strike =>
  (fleet) => {
    const { random } = fleet.world;
    const life = fleet.anyLife();
    const ms = fleet.spell();
    const direction = random.pick(['up', 'down', 'both'] as const);
    life?.[name].stall(ms, direction);
    disturb(fleet, life?.node, ms + fleet.world.plan.maxLag * 2);
    fleet.later(ms, () => {});
    return `${name} connection of node ${life?.node}, ${direction}, for ${ms} ms`;
  };

const lose =
  (key: 'state' | 'stream' | 'table' | 'bans' | 'nodes'): Strike =>
  ({ world }) => {
    if (world.deployment.main.up) world.deployment.main.execute({ type: 'lose', key });
    return `the key ${key} of server ${world.deployment.main.name}`;
  };

/** Connections of a process that sleeps often end without its hearing of it. */
function dropConnections({ world: { random } }: Fleet, life: Life): void {
  for (const channel of [life.data, life.follower, life.values])
    if (random.chance(0.4)) channel.cut(random.chance(0.3));
}

const STRIKES: Readonly<Record<FaultKind, Strike>> = {
  ...RELAY_STRIKES,

  'cut-data': cut('data'),
  'cut-follower': cut('follower'),
  'cut-values': cut('values'),
  'stall-data': stall('data'),
  'stall-follower': stall('follower'),
  'stall-values': stall('values'),

  unreachable: (fleet) => {
    const { deployment, random } = fleet.world;
    const ms = fleet.spell();
    deployment.closed = true;
    deployment.main.closeSessions(() => random.chance(0.7));
    fleet.later(ms, () => {
      deployment.closed = false;
    });
    return `nobody reaches the log for ${ms} ms`;
  },

  'slow-network': (fleet) => {
    const { latencies } = fleet.world;
    const ms = fleet.spell();
    const slow = [latencies.log, latencies.follower, latencies.values];
    for (const latency of slow) latency.factor = 8;
    fleet.later(ms, () => {
      for (const latency of slow) latency.factor = 1;
    });
    return `for ${ms} ms`;
  },

  trim: ({ world }) => {
    const keep = world.random.below(2);
    if (world.deployment.main.up) world.deployment.main.execute({ type: 'trim', keep });
    return `the stream, to ${keep}`;
  },

  empty: ({ world }) => {
    const { main } = world.deployment;
    if (main.up) main.execute({ type: 'flush' });
    main.clock -= world.random.chance(0.3) ? 10_000 : 0;
    return `server ${main.name} loses everything`;
  },

  'empty-unheard': (fleet) => {
    const { deployment, random, plan } = fleet.world;
    const life = fleet.anyReader();
    const after = random.between(0.1, 0.5) * plan.maxLag;
    const ms = random.between(1, 2) * plan.maxLag;
    if (deployment.main.up) deployment.main.execute({ type: 'flush' });
    fleet.later(after, () => life?.follower.stall(ms, 'both'));
    fleet.later(after + ms, () => {});
    return `server ${deployment.main.name} loses everything, and ${Math.round(after)} ms later node ${life?.node} hears nothing for ${Math.round(ms)} ms`;
  },

  'lose-state': lose('state'),
  'lose-stream': lose('stream'),
  'lose-table': lose('table'),
  'lose-bans': lose('bans'),
  'lose-nodes': lose('nodes'),

  restart: (fleet) => fleet.restartServer(),
  failover: (fleet) => fleet.failover(),
  failback: (fleet) => fleet.failback(),
  isolate: (fleet) => fleet.isolate(),

  'server-clock': ({ world }) => {
    const by = world.random.pick([-4_000, 4_000, 100_000]);
    world.deployment.main.clock += by;
    return `of server ${world.deployment.main.name} set by ${by} ms`;
  },

  pause: (fleet) => {
    const life = fleet.anyLife();
    const ms = fleet.spell();
    life?.clock.pause();
    if (life !== undefined) dropConnections(fleet, life);
    fleet.later(ms, () => life?.clock.resume());
    return `process of node ${life?.node} for ${ms} ms`;
  },

  suspend: (fleet) => {
    const life = fleet.anyLife();
    const ms = fleet.spell();
    life?.clock.suspend();
    if (life !== undefined) dropConnections(fleet, life);
    fleet.later(ms, () => life?.clock.wake());
    return `machine of node ${life?.node} for ${ms} ms`;
  },

  kill: (fleet) => {
    const life = fleet.anyLife();
    if (life === undefined) return 'nobody';
    const ms = fleet.world.random.between(10, 600);
    fleet.kill(life);
    fleet.later(ms, () => fleet.start(life.node));
    return `process of node ${life.node}; starts again after ${Math.round(ms)} ms`;
  },

  'wall-clock': (fleet) => {
    const life = fleet.anyLife();
    const by = fleet.world.random.pick([-60_000, -300, 40, 300, 60_000]);
    life?.clock.setWall(by);
    return `of node ${life?.node} set by ${by} ms`;
  },

  evict: ({ world }) => {
    const share = world.random.pick([0.3, 1]);
    world.values.evict(share);
    return `${share} of all stored values`;
  },

  'lose-writes': (fleet) => {
    const { values } = fleet.world;
    const ms = fleet.spell();
    values.loses = 0.5;
    fleet.later(ms, () => {
      values.loses = 0;
    });
    return `half of the store's for ${ms} ms`;
  },

  'values-fail': (fleet) => {
    const { values } = fleet.world;
    const ms = fleet.spell();
    values.fails = 0.5;
    fleet.later(ms, () => {
      values.fails = 0;
    });
    return `half of the store's requests for ${ms} ms`;
  },

  'lose-leases': ({ world }) => {
    world.values.loseLeases();
    world.values.loseBreakers();
    return 'all of them, and what breakers have said';
  },

  'loaders-fail': (fleet) => {
    const { loaders } = fleet.world;
    const ms = fleet.spell();
    loaders.fails = 0.5;
    fleet.later(ms, () => {
      loaders.fails = 0;
    });
    return `half of them for ${ms} ms`;
  },

  'loaders-down': (fleet) => {
    const { loaders } = fleet.world;
    const ms = fleet.spell();
    loaders.fails = 1;
    fleet.later(ms, () => {
      loaders.fails = 0;
    });
    return `all of them for ${ms} ms`;
  },

  'loaders-slow': (fleet) => {
    const { latencies } = fleet.world;
    const ms = fleet.spell();
    latencies.loaderBefore.factor = latencies.loaderAfter.factor = 10;
    fleet.later(ms, () => {
      latencies.loaderBefore.factor = latencies.loaderAfter.factor = 1;
    });
    return `for ${ms} ms`;
  },

  'replica-lag': (fleet) => {
    const { database } = fleet.world;
    const ms = fleet.spell();
    const usual = database.lag;
    database.lag = ms;
    fleet.later(ms, () => {
      database.lag = usual;
    });
    return `of the database, ${ms} ms`;
  },
};
