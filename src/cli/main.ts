#!/usr/bin/env node
import { dispatch } from './dispatch.ts';
import { tidemark } from './commands.ts';

// Whoever reads the output may have seen enough of it, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

await dispatch(tidemark, process.argv.slice(2));
// A pool of the configuration may still be open.
process.exit();
