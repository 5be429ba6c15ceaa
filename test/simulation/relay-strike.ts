import type { CAPTURE_FAULTS } from './fault-kind.ts';
import type { Fleet } from './fleet.ts';
import { ReplicationSlot } from './replication-slot.ts';
import { SLOT } from './database-server.ts';

type RelayFault = (typeof CAPTURE_FAULTS)[number] | 'kill-relay' | 'pause-relay';

/** What befalls relays and the database that they read. */
export const RELAY_STRIKES: Readonly<Record<RelayFault, (fleet: Fleet) => string>> = {
  'kill-relay': (fleet) => {
    const ms = fleet.world.random.between(10, 600);
    if (!fleet.killRelay(ms)) return 'nobody';
    return `a relay; starts again after ${Math.round(ms)} ms`;
  },

  'pause-relay': (fleet) => {
    const clock = fleet.relays.any()?.process.clock;
    if (clock === undefined) return 'nobody';
    // Longer than the database lets it be silent, now and then.
    const ms = fleet.spell() + (fleet.world.plan.capture && fleet.world.random.chance(0.3) ? 5_000 : 0);
    clock.pause();
    fleet.later(ms, () => clock.resume());
    return `a relay for ${ms} ms`;
  },

  'cut-relay': (fleet) => {
    const { random } = fleet.world;
    const relay = fleet.relays.anyCapture();
    const heard = { client: random.chance(0.7), server: random.chance(0.7) };
    if (random.chance(0.3)) {
      const name = random.pick(['data', 'follower'] as const);
      relay?.process[name].cut(heard.client);
      return `its ${name} connection to the log`;
    }
    const links = [...(relay?.client.links ?? [])].filter(() => random.chance(0.5));
    for (const link of links) link.cut(heard);
    return `${links.length} connections to the database, heard by ${JSON.stringify(heard)}`;
  },

  'stall-relay': (fleet) => {
    const { random } = fleet.world;
    const relay = fleet.relays.anyCapture();
    const ms = fleet.spell();
    if (random.chance(0.5)) relay?.process[random.pick(['data', 'follower'] as const)].stall(ms, 'both');
    else for (const link of relay?.client.links ?? []) if (random.chance(0.5)) link.stall(ms);
    fleet.later(ms, () => {});
    return `for ${ms} ms`;
  },

  'standby-away': (fleet) => {
    const { server } = fleet.world;
    const ms = fleet.spell();
    server.standby(true);
    fleet.later(ms, () => server.standby(false));
    return `commits wait for ${ms} ms`;
  },

  'crash-database': (fleet) => {
    const { server, random } = fleet.world;
    if (!server.up) return 'nothing, since it is down';
    const ms = random.between(5, 400);
    server.crash();
    fleet.later(ms, () => server.restart());
    return `for ${Math.round(ms)} ms`;
  },

  'lose-slot': ({ world: { server, random } }) => {
    const { slot } = server;
    slot?.reader?.terminate();
    if (random.chance(0.5)) server.slots.delete(SLOT);
    else if (slot !== undefined) slot.lost = 'wal_removed';
    return slot?.lost ?? 'dropped';
  },

  'move-slot': ({ world: { server, database, random } }) => {
    server.slot?.reader?.terminate();
    if (server.slot === undefined || random.chance(0.5)) server.slots.set(SLOT, new ReplicationSlot(database.lsn));
    else server.slot.confirm(database.lsn, true);
    return `to ${database.lsn}`;
  },

  unpublish: (fleet) => {
    const { server } = fleet.world;
    const ms = fleet.spell();
    server.publish(false);
    fleet.later(ms, () => server.publish(true));
    return `for ${ms} ms`;
  },
};
