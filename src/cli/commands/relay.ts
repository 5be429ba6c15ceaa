import { createRelay, type Relay, type RelayStatus } from '../../postgres/index.ts';
import { type Command, command } from '../command.ts';
import { configFile, loadConfig } from '../config-file.ts';
import { signalled } from '../signalled.ts';
import { terminalLogger } from '../terminal-logger.ts';
import { UsageError } from '../usage-error.ts';

const args = {
  config: { type: 'string', description: 'the configuration file; default tidemark.config.ts', valueHint: 'file' },
  status: { type: 'string', description: 'seconds between two lines that say how it is; 0 for none', default: '30' },
  json: { type: 'boolean', description: 'log lines as JSON, in the shape of pino' },
  verbose: { type: 'boolean', description: 'log each batch and each duplicate' },
} as const;

/** `tidemark relay` */
export const relay: Command<typeof args> = command({
  name: 'relay',
  description: 'Gets changes of the database to the log that their writers did not',
  args,
  examples: [
    ['tidemark relay', 'runs until it is told to end, as tidemark.config.ts here says'],
    [
      'tidemark relay --config deploy/relay.ts --json --status 60',
      'for a collector of logs, with a status each minute',
    ],
  ],
  run: async (args) => {
    const every = Number(args.status);
    if (!(every >= 0)) throw new UsageError(`--status ${args.status}: give a number of seconds.`);
    const file = configFile(args.config);
    if (file === undefined)
      throw new UsageError(
        'There is no tidemark.config.ts here. Write one, or name it by --config; see docs/postgres.md.',
      );
    const { relay: options } = await loadConfig(file);
    if (options === undefined)
      throw new UsageError(`${file} says nothing of a relay. Give it relay: { name, ..., database }.`);
    const write = (line: string): void => void process.stdout.write(line);
    const logger = terminalLogger(write, args.json === true, args.verbose === true ? 'debug' : 'info');
    const made = createRelay({ logger, ...options });
    made.start();
    const say = (): void => logger.info({ event: 'relay_status', ...made.status() }, summary(made.status()));
    await untilSignalled(made, every * 1_000, say);
    say();
  },
});

/** Resolves when it was told to end, and has. */
async function untilSignalled(made: Relay, every: number, say: () => void): Promise<void> {
  // Also what keeps the process alive while no server answers.
  const timer = setInterval(every > 0 ? say : () => {}, every > 0 ? every : 60_000);
  await signalled();
  clearInterval(timer);
  await made.stop();
}

function summary({ state, log, outbox, capture, announcements }: RelayStatus): string {
  const parts = [`relay_status: ${state}`, `log ${log.reachable ? 'reachable' : 'unreachable'}`];
  if (outbox !== undefined)
    parts.push(
      `outbox waiting=${outbox.waiting} oldest=${outbox.oldestMs}ms direct=${outbox.direct} appended=${outbox.appended}`,
    );
  if (capture !== undefined)
    parts.push(`capture ${JSON.stringify(capture, (_, it: unknown) => (typeof it === 'bigint' ? String(it) : it))}`);
  if (announcements.open > 0) parts.push(`announced=${announcements.open}`);
  return parts.join(', ');
}
