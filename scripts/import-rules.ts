/**
 * Which folder may import what: the table of the layout, as data. `check-imports.ts` applies it.
 *
 * A row's key is a path below `src`; the longest key that a file's path begins with is the row for that file.
 */
export interface ImportRow {
  /** Other folders of `src`, and which of their files. */
  readonly rooms?: Readonly<Record<string, Reach>>;
  /** Other folders of `src` of which only types may be imported. */
  readonly roomTypes?: readonly string[];
  /** The public names: `src/index.ts`, or a name that it exports, taken from the file that it takes it from. */
  readonly publicNames?: true;
  readonly builtins: 'all' | readonly string[];
  readonly packages?: readonly string[];
  /** Packages of which only types may be imported. */
  readonly packageTypes?: readonly string[];
}

/** 'all' files of a folder (of a subpath's folder: its `index.ts`), 'inside' past any door, only these, or all but these. */
export type Reach = 'all' | 'inside' | { readonly only: readonly string[] } | { readonly except: readonly string[] };

/** Built-ins that reach nothing outside the process: no files, sockets, timers, processes or threads. */
const pureBuiltins = ['node:assert', 'node:buffer', 'node:crypto', 'node:string_decoder', 'node:util'] as const;

/** Ports and data types of the inner folders: what an adapter implements and handles. */
const ports = {
  coherence: { except: ['follower.ts', 'memory-log.ts', 'node.ts', 'pending.ts', 'writer.ts'] },
  cache: {
    only: [
      'store.ts',
      'lease.ts',
      'places.ts',
      'breaker.ts',
      'memory-breaker-board.ts',
      'reports.ts',
      'report-publisher.ts',
      'relay-report.ts',
      'system-process.ts',
      'memory-reports.ts',
      'diagnostics.ts',
      'envelope.ts',
      'size.ts',
      'log-access.ts',
      'system-clock.ts',
    ],
  },
} as const;

const adapter: ImportRow = { rooms: ports, builtins: 'all' };

const dataLayer = (name: string): ImportRow => ({
  rooms: { postgres: { only: ['transaction.ts'] } },
  builtins: pureBuiltins,
  packageTypes: [name],
});

const observer = (...packages: string[]): ImportRow => ({
  publicNames: true,
  rooms: { operations: 'all' },
  builtins: pureBuiltins,
  packages,
});

const glue = (...packages: string[]): ImportRow => ({
  publicNames: true,
  rooms: { admin: 'all' },
  builtins: pureBuiltins,
  packageTypes: packages,
});

const composingCommand: ImportRow = {
  publicNames: true,
  rooms: { cli: 'all', admin: 'all', operations: 'all', redis: 'all', postgres: 'all' },
  builtins: 'all',
  packages: ['citty'],
};

export const importRows: Readonly<Record<string, ImportRow>> = {
  'index.ts': { rooms: { coherence: 'all', cache: 'all', events: 'all' }, builtins: [] },
  'index.test.ts': { publicNames: true, builtins: 'all' },
  coherence: { builtins: pureBuiltins },
  cache: { rooms: { coherence: 'all' }, builtins: 'all', packages: ['lru-cache', 'msgpackr'] },
  // How a log is reached is the same for whoever takes part without a cache, and how reads are switched for a query bus.
  events: {
    publicNames: true,
    rooms: {
      coherence: 'all',
      cache: { only: ['log-access.ts', 'read-options.ts', 'size.ts', 'traced-log.ts', 'traces.ts'] },
    },
    builtins: [...pureBuiltins, 'node:async_hooks', 'node:events'],
  },
  // Reads a file of rules; YAML by what is installed.
  'events/rules-file.ts': {
    publicNames: true,
    rooms: { coherence: 'all' },
    builtins: ['node:fs/promises', 'node:path'],
    packages: ['yaml'],
  },
  operations: {
    publicNames: true,
    rooms: { coherence: 'all', cache: { only: ['log-access.ts', 'report-publisher.ts', 'system-process.ts'] } },
    builtins: [...pureBuiltins, 'node:async_hooks'],
    packages: ['hdr-histogram-js'],
  },
  // How a process is called in what others are told.
  'operations/breaker-options.ts': {
    publicNames: true,
    rooms: { coherence: 'all' },
    builtins: [...pureBuiltins, 'node:os'],
    packageTypes: ['cockatiel'],
  },
  'operations/breaker-trip.ts': {
    publicNames: true,
    rooms: { coherence: 'all' },
    builtins: pureBuiltins,
    packages: ['cockatiel'],
  },
  redis: adapter,
  // Loads whichever of the two is installed, for a URL.
  'redis/driver.ts': { ...adapter, packages: ['ioredis', 'redis'] },
  postgres: adapter,
  // Loads what is installed, for a URL.
  'postgres/driver.ts': { ...adapter, packages: ['pg'] },
  // The client of the replication protocol.
  'postgres/pgoutput-stream.ts': { ...adapter, packages: ['pg-logical-replication'] },
  // Buses are read by what reads any of them.
  nats: { ...adapter, rooms: { ...ports, events: 'inside' } },
  kysely: dataLayer('kysely'),
  drizzle: dataLayer('drizzle-orm'),
  prisma: dataLayer('@prisma/client'),
  typeorm: dataLayer('typeorm'),
  // How options are checked is the same for whoever has some.
  keyv: {
    publicNames: true,
    rooms: { coherence: { only: ['duration.ts', 'errors.ts', 'guards.ts', 'known-options.ts'] } },
    builtins: pureBuiltins,
    packageTypes: ['keyv'],
  },
  // How options are checked is the same for whoever has some.
  prometheus: {
    ...observer(),
    rooms: { operations: 'all', coherence: { only: ['errors.ts', 'known-options.ts'] } },
    packageTypes: ['prom-client'],
  },
  opentelemetry: {
    ...observer('@opentelemetry/api'),
    rooms: { operations: 'all', coherence: { only: ['errors.ts', 'known-options.ts', 'target.ts'] } },
  },
  // How options are checked, keys and targets are written and waiting ends is the same for whoever does it.
  admin: {
    ...observer('zod'),
    rooms: {
      operations: 'all',
      coherence: {
        only: [
          'clock.ts',
          'deadline.ts',
          'duration.ts',
          'errors.ts',
          'key.ts',
          'known-options.ts',
          'label.ts',
          'target.ts',
        ],
      },
      cache: { only: ['log-access.ts', 'size.ts'] },
    },
  },
  // Only types: whoever serves brings the server.
  'admin/node-listener.ts': { publicNames: true, builtins: ['node:http'] },
  express: glue('express'),
  fastify: glue('fastify'),
  // They check what they are given, as the core does.
  decorators: {
    publicNames: true,
    rooms: { coherence: { only: ['errors.ts', 'known-options.ts', 'target.ts'] } },
    builtins: pureBuiltins,
  },
  nestjs: { ...glue(), rooms: { admin: 'all', decorators: 'all' }, packages: ['@nestjs/common', '@nestjs/core'] },
  // The types of what a configuration file says, and of what the API tells.
  cli: {
    publicNames: true,
    roomTypes: ['admin', 'operations', 'postgres'],
    // How a time is written is the same for whoever takes one.
    rooms: { coherence: { only: ['duration.ts'] } },
    builtins: 'all',
    packages: ['citty', 'jiti', 'cli-progress', 'cli-table3'],
  },
  'cli/commands/serve.ts': composingCommand,
  'cli/fleet.ts': { ...composingCommand, rooms: { ...composingCommand.rooms, coherence: { only: ['duration.ts'] } } },
  'cli/fleet.test.ts': composingCommand,
  // Of the options of a cache.
  'cli/serve-config.ts': { publicNames: true, roomTypes: ['admin'], builtins: [] },
  'cli/onlooker.ts': { publicNames: true, builtins: [] },
  'cli/commands/doctor.ts': composingCommand,
  'cli/commands/serve.test.ts': composingCommand,
  'cli/commands/relay.ts': composingCommand,
  'cli/commands/postgres.ts': composingCommand,
  'cli/commands/postgres-migrate.ts': composingCommand,
  'cli/commands/postgres-setup.ts': composingCommand,
  testing: { publicNames: true, rooms: { ...ports, postgres: { only: ['transaction.ts'] } }, builtins: 'all' },
};

/** What a test beside its source may import besides what the source may. The test runner is passed in elsewhere. */
export const testRow: ImportRow = {
  // Past the door, so that a test of the core loads no more than it needs.
  rooms: { testing: 'inside', coherence: 'all', cache: 'all' },
  builtins: 'all',
  packages: [
    ...['vitest', 'fast-check', 'pino', 'ioredis', 'ioredis6', 'redis', 'redis5', 'pg', 'postgres'],
    ...[
      'express',
      'fastify',
      'keyv',
      'cache-manager',
      '@keyv/test-suite',
      'cloudevents',
      'yaml',
      'rxjs',
      'reflect-metadata',
    ],
    ...[
      '@nestjs/common',
      '@nestjs/core',
      '@nestjs/cqrs',
      '@nestjs/event-emitter',
      '@nestjs/cache-manager',
      '@nestjs/testing',
    ],
    '@seriousme/openapi-schema-validator',
    ...[
      '@nestjs/platform-express',
      '@nestjs/platform-fastify',
      '@nats-io/transport-node',
      '@nats-io/jetstream',
      'prom-client',
    ],
    ...['@opentelemetry/sdk-trace-base', '@opentelemetry/sdk-metrics', '@opentelemetry/context-async-hooks'],
    ...['@electric-sql/pglite', 'kysely', 'drizzle-orm', 'typeorm', '@prisma/client', '@prisma/adapter-pg'],
  ],
};

/**
 * Folders outside `src`. `alone`: a relative import stays in the folder named by that many leading parts of the path,
 * so that what users copy runs for them too. Otherwise the file may import whatever the checkout holds.
 */
export const outsideRows: Readonly<Record<string, { readonly alone?: number }>> = {
  examples: { alone: 2 },
  benchmarks: { alone: 1 },
  dashboard: { alone: 1 },
  'test/types': { alone: 2 },
  // Writes what Prometheus and Grafana load, from what the sources know.
  monitoring: {},
  test: {},
  scripts: { alone: 1 },
};
