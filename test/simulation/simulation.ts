import type { Cache } from '../../src/cache/cache.ts';
import type { Guard } from '../../src/coherence/guards.ts';
import { Scheduler } from '../../src/testing/scheduler.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { Catalogue } from './catalogue.ts';
import { Counts } from './coverage.ts';
import { Database } from './database.ts';
import { DatabaseServer } from './database-server.ts';
import { Deployment } from './deployment.ts';
import { scheduleFaults } from './fault-schedule.ts';
import { Fleet } from './fleet.ts';
import { History } from './history.ts';
import { Latency, type LatencyShape } from './latency.ts';
import { describePlan, drawPlan, type Profile } from './profile.ts';
import type { OuterGuard } from './server-guards.ts';
import { ValueServer } from './value-server.ts';
import type { World } from './world.ts';

export interface SimulationOptions {
  readonly profile: Profile;
  /** Guards taken out. */
  readonly removed?: ReadonlySet<Guard>;
  readonly outer?: ReadonlySet<OuterGuard>;
  /** Looks at each cache that is made. Without it, runs are what they were. */
  readonly watch?: (cache: Cache) => void;
  /** So many ms after the start every row is changed, past everything. */
  readonly planted?: number;
}

/** Longer than a run takes and wall clocks are set wrong, in ms: nothing expires. */
const FOR_GOOD = 600_000;

/** How a server's clock that is behind counts: far enough that it never catches up. */
const BEHIND = -1e12;

/** Runs one fleet from its start to its audit. The same seed and options give the same history. */
export async function simulate(
  seed: number,
  options: SimulationOptions,
): Promise<{ history: History; counts: Counts }> {
  const { profile, removed = new Set(), outer = new Set() } = options;
  const random = new SeededRandom(seed);
  const plan = drawPlan(profile, random);
  const scheduler = new Scheduler(random.fork());
  const history = new History(() => scheduler.now);
  const counts = new Counts();
  const catalogue = new Catalogue(plan.rows);
  const database = new Database(scheduler, plan.rows, plan.replicaLag);
  const latency = (shape: LatencyShape): Latency => new Latency(random.fork(), shape);
  const toLog = { log: latency(profile.log), follower: latency(profile.follower) };
  const usual = {
    ...toLog,
    firstFollower: profile.firstFollower === undefined ? toLog.follower : latency(profile.firstFollower),
    values: latency(profile.values),
    replication: latency(profile.replication),
    loaderBefore: latency(profile.loaderBefore),
    loaderAfter: latency(profile.loaderAfter),
    commitReturns: latency(profile.commitReturns),
    readThink: latency(profile.readThink),
    writeThink: latency(profile.writeThink),
  };
  // Drawn only where it is used: runs of other profiles stay what they were.
  const latencies = {
    ...usual,
    commitTakes: plan.strict || plan.capture ? latency(profile.commitTakes) : usual.commitReturns,
    commitShows: plan.capture ? latency(profile.commitShows) : usual.commitReturns,
    statement: plan.outbox || plan.capture ? latency(profile.log) : usual.log,
  };
  const deployment = new Deployment({
    scheduler,
    random: random.fork(),
    options: { slots: plan.slots, hashes: 3, maxLag: plan.maxLag, maxLife: plan.maxLife },
    removed: outer,
    kept: plan.kept,
    servers: plan.servers,
    clock: plan.serverClock === 'behind' ? BEHIND : 1_700_000_000_000,
    latency: latencies.replication,
    appended: (server, sole, epoch, draft, number) => {
      if (draft.kind === 'announce') return;
      const cells = catalogue.covered(draft);
      if (cells.length === 0) return;
      // A transaction that was rolled back has no bound, and nothing that a replica could lack.
      if (plan.replicaReads && draft.kind === 'close' && draft.lsn === undefined) return;
      // Readers of replicas are promised the commits up to the record's bound; others what the primary shows by now.
      const bounded = plan.replicaReads && typeof draft.lsn === 'bigint';
      const versions = bounded ? database.versionsAt(Number(draft.lsn)) : database.versions();
      history.add({ type: 'appended', server, epoch, number, sole, cells, versions });
    },
  });
  const world: World = {
    plan,
    random,
    scheduler,
    history,
    counts,
    catalogue,
    database,
    server: new DatabaseServer({ database, scheduler, random: plan.capture ? random.fork() : random, removed: outer }),
    deployment,
    values: new ValueServer(scheduler, random.fork()),
    latencies,
    removed,
    outer,
    tokens: [],
    numbers: { read: 0, load: 0, write: 0, fallback: 0 },
    loaders: { fails: 0, hangs: 0, calm: false },
    busy: true,
    watch: options.watch,
  };
  history.add({
    type: 'plan',
    text: describePlan(plan),
    maxLag: plan.maxLag,
    nodes: plan.nodes,
    connected: profile.connected,
    remembers: plan.memory >= plan.rows && plan.ttl >= FOR_GOOD && plan.maxLife >= FOR_GOOD,
  });
  world.values.interrupts = profile.interrupts;
  counts.add('profile', profile.name);
  const fleet = new Fleet(world);
  scheduleFaults(fleet);
  if (options.planted !== undefined)
    scheduler.after(options.planted, () => void database.commit(Array.from({ length: plan.rows }, (_, row) => row)));
  await fleet.run();
  counts.add('total', 'reads', world.numbers.read);
  counts.add('total', 'loads', world.numbers.load);
  counts.add('total', 'writes', world.numbers.write);
  counts.add('total', 'events', scheduler.happened);
  return { history, counts };
}
