#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { defineCommand, runMain } from 'citty';
import { postgres } from './commands/postgres.ts';
import { relay } from './commands/relay.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

await runMain(
  defineCommand({
    meta: { name: 'tidemark', version, description: 'Keeps caches coherent' },
    subCommands: { relay, postgres },
  }),
);
// A pool of the configuration may still be open.
process.exit();
