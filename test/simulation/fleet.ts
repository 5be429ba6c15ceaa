import { Client } from './client.ts';
import { Life } from './member.ts';
import type { Latency } from './latency.ts';
import type { LogServer } from './log-server.ts';
import { Reader } from './reader.ts';
import { Relays } from './relays.ts';
import type { World } from './world.ts';
import { Writer } from './writer.ts';

/** Longest time that is waited, after all faults are over, for the fleet to recover, in ms. */
const RECOVERY = 12_000;
/** A relay that could not connect tries again after up to 10 s, twice where both of its connections were lost. */
const RECOVERY_OF_CAPTURE = 30_000;

/**
 * All processes of one run, and what befalls them. The run has three parts: busy, with faults; recovery, without; and an
 * audit that reads every row on every node twice.
 */
export class Fleet {
  readonly world: World;
  readonly #lives: (Life | undefined)[] = [];
  readonly relays: Relays;
  readonly #dead: Life[] = [];
  #numbers = 0;
  /** When everything was over. */
  #quietAt = 0;
  /** Whether a relay has said that all of it is in the log. */
  #caughtUp = false;
  /** When the last fault that has begun will be over. */
  #lastEnd = 0;

  constructor(world: World) {
    this.world = world;
    this.relays = new Relays(world);
  }

  /** Length of the part with faults, in ms. */
  get busyFor(): number {
    return this.world.plan.maxLag * this.world.plan.profile.length;
  }

  async run(): Promise<void> {
    const { world } = this;
    const { plan, scheduler, history } = world;
    const { busyFor } = this;
    for (let node = 0; node < plan.nodes; node++) this.start(node);
    this.relays.start();
    for (let i = 0; i < plan.clients; i++) void new Client(world, () => this.anyLife()).run();
    await scheduler.run(busyFor);
    world.busy = false;
    world.loaders.calm = true;
    world.values.interrupts = 0;
    for (const latency of Object.values(world.latencies) as Latency[]) latency.calm();
    await scheduler.run(Math.max(busyFor, this.#lastEnd) + plan.maxLag * 2);
    history.add({ type: 'quiet' });
    this.#quietAt = scheduler.now;
    await this.#recover();
    // Until no epoch is young any more.
    if (plan.strict) await scheduler.run(scheduler.now + plan.maxLag * 2 + 200);
    await this.#audit();
    for (const life of this.lives()) {
      const { attached, queued, announced } = life.cache.status();
      const refuses = life.breaker !== undefined && life.breaker.state !== 'closed';
      const unsettled = life.unsettled.size;
      history.add({ type: 'status', node: life.node, attached, queued, unsettled, announced, refuses });
    }
    history.add({ type: 'outbox', count: world.database.outbox.size });
    history.add({ type: 'captured', caughtUp: this.#caughtUp });
    history.add({ type: 'open', count: world.deployment.main.keys.bans?.open.length ?? 0 });
    await this.#close();
  }

  async #close(): Promise<void> {
    const { scheduler, history } = this.world;
    for (const life of this.lives()) {
      const closing = life.cache.close({ drain: 0 });
      void closing.then(({ unsent }) => history.add({ type: 'closed', node: life.node, unsent }));
    }
    await scheduler.run(scheduler.now + 1_000);
    for (const life of this.lives()) life.kill(false);
    this.relays.killAll();
    // A process that has died keeps nothing; here its session tracking would stay.
    for (const life of this.#dead) void life.cache.close({ drain: 0 });
  }

  lives(): Life[] {
    return this.#lives.filter((life): life is Life => life !== undefined);
  }

  /** One process that runs now. */
  anyLife(): Life | undefined {
    const running = this.lives().filter((life) => life.clock.running);
    return running.length === 0 ? undefined : this.world.random.pick(running);
  }

  /** One process that runs now, on a node without writers. */
  anyReader(): Life | undefined {
    const readers = this.lives().filter((life) => life.clock.running && life.node >= this.world.plan.writing);
    return readers.length === 0 ? undefined : this.world.random.pick(readers);
  }

  /** How long a fault lasts, in ms: often about as long as proofs last. */
  spell(): number {
    const { random, plan } = this.world;
    return Math.round(plan.maxLag * random.pick([0.3, 0.8, 1.3, 2, 3]) * random.between(0.8, 1.2));
  }

  /** Ends a fault, before everything must have recovered. */
  later(ms: number, run: () => void): void {
    this.#lastEnd = Math.max(this.#lastEnd, this.world.scheduler.now + ms);
    this.world.scheduler.after(ms, run);
  }

  start(node: number): void {
    const { world } = this;
    const { plan, history } = world;
    history.add({ type: 'started', node, life: ++this.#numbers });
    const life = new Life(world, node, this.#numbers);
    this.#lives[node] = life;
    for (let i = 0; i < plan.readers; i++) void new Reader(world, life).run();
    const elsewhere = (): Life | undefined => {
      const others = this.lives().filter((other) => other !== life && other.clock.running);
      return others.length === 0 ? undefined : world.random.pick(others);
    };
    if (node >= plan.writing) return;
    for (let writer = node; writer < plan.writers; writer += plan.writing)
      void new Writer(world, life, elsewhere).run();
  }

  kill(life: Life): void {
    const { random, scheduler, database, plan } = this.world;
    // The database finds out later that the connection is gone.
    if (plan.strict) scheduler.after(random.between(0, 300), () => database.orphan(life.number));
    this.world.history.add({ type: 'killed', node: life.node });
    life.kill(this.world.random.chance(0.7));
    this.#dead.push(life);
    if (this.#lives[life.node] === life) this.#lives[life.node] = undefined;
  }

  /** One relay dies, and another process takes its place after so many ms. Returns whether there was one. */
  killRelay(ms: number): boolean {
    const place = this.relays.killAny();
    if (place === undefined) return false;
    this.later(ms, () => this.relays.startAt(place));
    return true;
  }

  // --- what befalls the log's servers

  restartServer(): string {
    const { deployment, random } = this.world;
    const { main } = deployment;
    if (!this.#settled()) return 'nothing, since another is under way';
    const mode = random.pick(['whole', 'older', 'empty']);
    const older = main.keys.clone();
    const ms = random.between(5, 300);
    const lost = mode === 'older' ? random.between(0, 400) : 0;
    this.#underWay(ms + lost);
    this.later(lost, () => {
      main.crash();
      if (mode === 'older') main.keys = older;
      if (mode === 'empty') main.keys.apply({ type: 'flush' });
    });
    this.later(lost + ms, () => {
      main.restart();
      if (random.chance(0.3)) main.clock -= 10_000;
      for (const other of deployment.others()) deployment.attach(other, main);
    });
    return `server ${main.name} after ${Math.round(lost)} ms, for ${Math.round(ms)} ms, its data ${mode}`;
  }

  /** The replicas are cut off, so that a tail is lost; the primary crashes; a replica is promoted; the others follow it. */
  failover(): string {
    const { deployment, random } = this.world;
    const { main } = deployment;
    const heir = deployment.others()[0];
    if (heir === undefined || !this.#settled()) return 'nothing to fail over to';
    const tail = random.chance(0.7) ? random.between(0, 500) : 0;
    const gap = random.between(1, 200);
    const rejoin = random.between(50, 800);
    const clock = main.clock + random.pick([0, 0, -5_000, 5_000]);
    this.#underWay(tail + gap + rejoin);
    for (const replica of deployment.others()) deployment.detach(replica);
    this.later(tail, () => main.crash());
    this.later(tail + gap, () => this.#succeed(heir, clock, [main]));
    this.later(tail + gap + rejoin, () => {
      main.restart();
      deployment.attach(main, heir);
    });
    return `from ${main.name} to ${heir.name} in ${Math.round(tail)} ms, clock ${Math.round(clock - main.clock)} ms`;
  }

  /** As a failover, but the old primary lives and is promoted again: connections to it outlive both changes of its role. */
  failback(): string {
    const { deployment, random } = this.world;
    const { main } = deployment;
    const heir = deployment.others()[0];
    if (heir === undefined || !this.#settled()) return 'nothing to fail over to';
    const tail = random.chance(0.5) ? random.between(0, 60) : random.between(60, 400);
    const [away, demoted] = [random.between(1, 100), random.between(1, 100)];
    this.#underWay(tail + away + demoted);
    for (const replica of deployment.others()) deployment.detach(replica);
    this.later(tail, () => {
      for (const life of this.lives()) {
        for (const channel of [life.data, life.follower])
          if (channel.server === main) channel.stall(away + demoted, 'both');
      }
      this.#succeed(heir, main.clock, [main]);
    });
    this.later(tail + away, () => deployment.attach(main, heir));
    this.later(tail + away + demoted, () => {
      this.#succeed(main, main.clock, []);
      for (const session of [...heir.sessions]) session.close(random.chance(0.7));
    });
    return `from ${main.name} to ${heir.name} and back, ${[tail, away, demoted].map(Math.round).join(', ')} ms`;
  }

  /**
   * Some nodes stay with the old primary, the others get a promoted replica. No replica stays behind: one that confirms for
   * an old primary what its successor will make it forget is outside of what `replicas` can promise.
   */
  isolate(): string {
    const { deployment, random, plan } = this.world;
    const { main } = deployment;
    const heir = deployment.others()[0];
    if (heir === undefined || !this.#settled()) return 'nothing to isolate from';
    const all = plan.nodes + this.relays.count;
    const nodes = Array.from({ length: all }, (_, node) => node).filter(() => random.chance(0.5));
    const ms = this.spell();
    const clock = main.clock + random.pick([0, 0, -5_000, 5_000]);
    const [cutOff, survives] = [random.between(0, 200), random.chance(0.5)];
    this.#underWay(ms + cutOff);
    for (const replica of deployment.others()) deployment.detach(replica);
    this.later(cutOff, () => {
      deployment.old = main;
      for (const node of nodes) deployment.isolated.add(node);
      this.#succeed(heir, clock, [main]);
      for (const life of this.lives()) {
        if (nodes.includes(life.node)) continue;
        for (const channel of [life.data, life.follower]) channel.cut(random.chance(0.7));
      }
      this.relays.processes().forEach((relay, at) => {
        if (relay === undefined || nodes.includes(plan.nodes + at)) return;
        for (const channel of [relay.data, relay.follower]) channel.cut(random.chance(0.7));
      });
      this.#outside(nodes, true);
    });
    this.later(cutOff + ms, () => {
      deployment.isolated.clear();
      deployment.old = undefined;
      deployment.attach(main, heir);
      if (!survives) main.closeSessions(() => random.chance(0.7));
      this.#outside(nodes, false);
    });
    return `server ${main.name} with nodes ${nodes.join(', ') || 'none'} after ${Math.round(cutOff)} ms, for ${ms} ms`;
  }

  /** A server becomes the primary, and all others but some follow it. */
  #succeed(heir: LogServer, clock: number, but: readonly LogServer[]): void {
    const { deployment } = this.world;
    deployment.promote(heir, clock);
    for (const other of deployment.others()) if (!but.includes(other)) deployment.attach(other, heir);
  }

  /** Nodes with an old primary that needs nobody's confirmation are outside of what is promised. */
  #outside(nodes: readonly number[], begins: boolean): void {
    const { plan, history } = this.world;
    if (plan.replicas === 0) for (const node of nodes) history.add({ type: 'outside', node, begins });
  }

  #changing = 0;

  #settled(): boolean {
    const { main } = this.world.deployment;
    return this.world.scheduler.now >= this.#changing && main.up;
  }

  #underWay(ms: number): void {
    this.#changing = this.world.scheduler.now + ms + 1;
  }

  // --- the course of a run

  /** Until everybody is attached and nobody waits for anything, or for good. */
  async #recover(): Promise<void> {
    const { scheduler } = this.world;
    const { plan, database } = this.world;
    const until = scheduler.now + (plan.capture ? RECOVERY_OF_CAPTURE : RECOVERY);
    while (scheduler.now < until) {
      const done = this.lives().every(({ cache, unsettled, breaker }) => {
        const { attached, queued, announced } = cache.status();
        const refuses = breaker !== undefined && breaker.state !== 'closed';
        return attached && queued === 0 && unsettled.size === 0 && announced === 0 && !refuses;
      });
      // A relay that notices only now that it was cut off says nothing for a while.
      this.#caughtUp ||= this.relays.isCaughtUp(this.#quietAt);
      const relayed = database.outbox.size === 0 && this.#caughtUp;
      if (done && this.lives().length === plan.nodes && relayed) return;
      this.#probe();
      await scheduler.run(scheduler.now + 100);
    }
  }

  /** A breaker finds out by a load that its source is back. A read in shadow mode is one, whatever the cache has. */
  #probe(): void {
    for (const life of this.lives())
      if (life.breaker !== undefined && life.breaker.state !== 'closed')
        void new Reader(this.world, life).read('shadow', 0);
  }

  async #audit(): Promise<void> {
    const { world } = this;
    const { plan, scheduler } = world;
    for (let pass = 0; pass < 2; pass++) {
      let left = 0;
      for (const life of this.lives()) {
        for (let row = 0; row < plan.rows; row++) {
          left++;
          void new Reader(world, life).read('audit', row).finally(() => left--);
        }
      }
      const until = scheduler.now + 5_000;
      while (left > 0 && scheduler.now < until) await scheduler.run(scheduler.now + 50);
    }
  }
}
