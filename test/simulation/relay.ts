import type { Announcement } from '../../src/coherence/announcements.ts';
import { encodeDraft } from '../../src/coherence/wire.ts';
import { Session } from './channel.ts';
import type { World } from './world.ts';

/** Between two looks at what is open, in ms. */
const PACE: readonly [number, number] = [40, 250];

/** For so long after its transaction has ended an announcement is left to its writer, in ms. */
const LEISURE: readonly [number, number] = [0, 500];

/** How old an announcement must be for a relay that asks nobody, in ms. */
const OLD = 150;

/**
 * A process that closes what strict writers leave open: writers that died, or do not know how their transaction has ended. It asks
 * the database, and closes nothing that may still commit. It is not one of the processes that faults befall.
 */
export class Relay {
  readonly #world: World;
  /** When each announcement was first seen open. */
  readonly #seen = new Map<string, number>();
  #ids = 0;

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    const { scheduler, random } = this.#world;
    scheduler.after(random.between(...PACE), () => {
      this.#look();
      this.start();
    });
  }

  #look(): void {
    const { deployment, random, scheduler } = this.#world;
    const { main } = deployment;
    if (!main.up || main.role !== 'primary') return;
    for (const open of main.keys.bans?.open ?? []) {
      if (!this.#seen.has(open.id)) this.#seen.set(open.id, scheduler.now);
      if (this.#hasEnded(open.id)) scheduler.after(random.between(...LEISURE) / 2, () => this.#close(open));
    }
  }

  #hasEnded(id: string): boolean {
    const { database, scheduler, outer } = this.#world;
    if (outer.has('relayAsks')) return scheduler.now - (this.#seen.get(id) ?? 0) > OLD;
    return database.status(id) !== 'open';
  }

  #close({ id, labels, patterns }: Announcement): void {
    const { deployment, outer, database, plan, counts } = this.#world;
    const { main } = deployment;
    // Closed meanwhile, or lost with its epoch.
    if (!main.up || main.role !== 'primary' || !main.keys.bans?.open.some((it) => it.id === id)) return;
    const covers = !outer.has('closeByRecord');
    const draft = encodeDraft({
      kind: 'close',
      id: (++this.#ids).toString(16).padStart(32, 'f'),
      origin: 'relay',
      labels: covers ? labels : [],
      patterns: covers ? patterns : [],
      closes: id,
      time: 0,
      ...(plan.replicaReads ? { lsn: BigInt(database.lsn) } : {}),
    });
    main.append([draft], new Session(() => {}), () => {});
    counts.add('strict', 'closed by the relay');
  }
}
