import { CaptureRelay } from './capture-relay.ts';
import { DatabaseAdmin } from './database-admin.ts';
import { ForeignWriter } from './foreign-writer.ts';
import { OutboxRelay } from './outbox-relay.ts';
import { Relay } from './relay.ts';
import type { RelayProcess } from './relay-process.ts';
import type { World } from './world.ts';

/** Between two questions how far capture has come, in ms. */
const LOOK = 60;

/** The relays of one run, and those whose changes they capture. Relays of the outbox are all active, of those that capture one is. */
export class Relays {
  readonly #world: World;
  readonly #places: (() => OutboxRelay | CaptureRelay)[] = [];
  readonly #running: (OutboxRelay | CaptureRelay | undefined)[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    const { plan, random } = this.#world;
    if (plan.strict) new Relay(this.#world).start();
    const add = (make: (node: number) => OutboxRelay | CaptureRelay): void => {
      const node = plan.nodes + this.#places.length;
      this.#places.push(() => make(node));
      this.startAt(this.#places.length - 1);
    };
    if (plan.outbox) for (let i = random.below(2); i >= 0; i--) add((node) => new OutboxRelay(this.#world, node));
    if (!plan.capture) return;
    for (let i = random.below(2); i >= 0; i--) add((node) => new CaptureRelay(this.#world, node));
    for (let i = 0; i < plan.foreigners; i++) new ForeignWriter(this.#world).start();
    if (!plan.recreate) new DatabaseAdmin(this.#world).start();
    this.#witness();
  }

  /** How many processes there are, by the numbers that follow those of the caches. */
  get count(): number {
    return this.#places.length;
  }

  startAt(place: number): void {
    this.#running[place] = this.#places[place]?.();
  }

  /** One that runs now. */
  any(): OutboxRelay | CaptureRelay | undefined {
    const running = this.#running.filter((relay) => relay?.process.clock.running === true);
    return running.length === 0 ? undefined : this.#world.random.pick(running);
  }

  /** One that runs and captures. */
  anyCapture(): CaptureRelay | undefined {
    const running = this.#captures().filter(({ process }) => process.clock.running);
    return running.length === 0 ? undefined : this.#world.random.pick(running);
  }

  /** One dies; its place, if there was one. */
  killAny(): number | undefined {
    const relay = this.any();
    if (relay === undefined) return undefined;
    const place = this.#running.indexOf(relay);
    relay.kill(this.#world.random.chance(0.7));
    this.#running[place] = undefined;
    return place;
  }

  killAll(): void {
    for (const relay of this.#running) relay?.kill(false);
  }

  /** Those that run, by place. */
  processes(): (RelayProcess | undefined)[] {
    return this.#running.map((relay) => relay?.process);
  }

  /** Whether everything that was changed before a moment is in the log, as they say who know what is published. */
  isCaughtUp(moment: number): boolean {
    const { plan, server } = this.#world;
    if (!plan.capture) return true;
    return server.isPublicationKnown && this.#captures().some(({ caughtUpTo }) => (caughtUpTo ?? -1) >= moment);
  }

  #captures(): CaptureRelay[] {
    return this.#running.filter((relay) => relay instanceof CaptureRelay);
  }

  /** Takes down what relays say of how far they are: it is a promise. */
  #witness(): void {
    const { scheduler, server } = this.#world;
    scheduler.after(LOOK, () => {
      this.#witness();
      // Nobody can know what was not published until it is noticed; what is kept is still owed in the end.
      if (server.isPublicationKnown) for (const { caughtUpTo } of this.#captures()) this.#note(caughtUpTo);
    });
  }

  #note(moment: number | undefined): void {
    const { history, database, catalogue, plan } = this.#world;
    if (moment === undefined || !plan.mapped) return;
    history.add({
      type: 'told',
      until: moment,
      cells: catalogue.mapped(plan.mapping),
      versions: database.versionsBefore(moment),
    });
  }
}
