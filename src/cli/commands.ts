import { type CommandDef, defineCommand } from 'citty';
import type { Command } from './command.ts';
/** The command line, all of it. */
export const tidemark: CommandDef & Pick<Command, 'notes'> = {
  ...defineCommand({
    meta: { name: 'tidemark', description: 'Looks after the caches of a fleet: sees them, explains them, mends them' },
    // Loaded where they are asked for: what prints a version needs no driver.
    subCommands: {
      health: async () => (await import('./commands/health.ts')).health,
      stats: async () => (await import('./commands/stats.ts')).stats,
      top: async () => (await import('./commands/top.ts')).top,
      inspect: async () => (await import('./commands/inspect.ts')).inspect,
      invalidate: async () => (await import('./commands/invalidate.ts')).invalidate,
      tail: async () => (await import('./commands/tail.ts')).tail,
      nodes: async () => (await import('./commands/nodes.ts')).nodes,
      check: async () => (await import('./commands/check.ts')).check,
      doctor: async () => (await import('./commands/doctor.ts')).doctor,
      relay: async () => (await import('./commands/relay.ts')).relay,
      serve: async () => (await import('./commands/serve.ts')).serve,
      postgres: async () => (await import('./commands/postgres.ts')).postgres,
      version: async () => (await import('./commands/version.ts')).version,
    },
  }),
  notes: {
    examples: [
      ['tidemark doctor --redis redis://localhost --name shop', 'what is wrong with the fleet, with evidence and cure'],
      [
        'tidemark inspect user:42 --redis redis://localhost --name shop',
        'why an entry is fresh or stale, and who made it so',
      ],
      ['tidemark inspect --help', 'flags, exit codes and examples of a command'],
    ],
  },
};
