import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GUARDS } from './guard-names.ts';
import { Counts, describeTally } from './coverage.ts';
import { type Failure, type Report, type Shift, work } from './shift.ts';
import { tell, tellAll } from './story.ts';
import { type AnyGuard, profileNamed, tryOut } from './trial.ts';

const USAGE = `Runs the simulated fleet, and checks what it did against what is promised.

  npm run simulate -- --seeds 10000          so many seeds, from --from (default 1)
  npm run simulate -- --seed 42              one seed again, with its history
      --workers 2                            processes; default: one for each core
      --without completion,ownTable          with guards taken out: something must be found
      --profile completion                   the setting that brings out what a guard is for; default: usual
`;

/** Failing seeds whose stories are printed. */
const STORIES = 3;

interface Options {
  readonly seed: number | undefined;
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly without: readonly AnyGuard[];
  readonly profile: string;
}

function options(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
      without: { type: 'string', default: '' },
      profile: { type: 'string', default: 'usual' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    seed: values.seed === undefined ? undefined : whole(values.seed, '--seed'),
    seeds: whole(values.seeds, '--seeds'),
    from: whole(values.from, '--from'),
    workers: Math.max(1, whole(values.workers, '--workers')),
    without: guards(values.without),
    profile: profileNamed(values.profile).name,
  };
}

function whole(text: string, option: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`${option}: ${text} is not a whole number`);
}

function guards(text: string): AnyGuard[] {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !(GUARDS as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new Error(`--without: there is no guard ${unknown}. Give some of: ${GUARDS.join(', ')}`);
  return names as AnyGuard[];
}

/** One seed: its whole history, then what it broke. */
async function replay(seed: number, { profile, without }: Options): Promise<boolean> {
  const { history, violations } = await tryOut(seed, profileNamed(profile), without);
  console.log(tellAll(history.facts));
  console.log(`\nseed ${seed}, history ${history.hash()}, ${violations.length} violations`);
  for (const violation of violations.slice(0, STORIES)) console.log(`\n${tell(history.facts, violation)}`);
  return violations.length === 0;
}

/** Many seeds, on several processes. */
async function runAll(settings: Options): Promise<boolean> {
  const { seeds, from, workers, profile, without } = settings;
  const counts = new Counts();
  const failures: Failure[] = [];
  let done = 0;
  const began = performance.now();
  const take = (report: Report): void => {
    done += report.seeds;
    counts.merge(report.tally);
    for (const failure of report.failures) {
      failures.push(failure);
      if (failures.length <= STORIES) printFailure(failure, settings);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${seeds} seeds, ${failures.length} failed `);
  };
  const shifts = Array.from(
    { length: workers },
    (_, turn): Shift => ({ from, count: seeds, turn, of: workers, profile, without }),
  );
  await Promise.all(shifts.map((shift) => (workers === 1 ? work(shift, take) : elsewhere(shift, take))));
  const seconds = (performance.now() - began) / 1_000;
  const { reads = 0 } = counts.tally()['total'] ?? {};
  console.log(`\nWhat was covered:\n${describeTally(counts.tally())}\n`);
  console.log(
    `${done} seeds in ${seconds.toFixed(1)} s on ${workers} processes: ${(done / seconds).toFixed(1)} seeds a second, ${reads} reads`,
  );
  console.log(
    failures.length === 0
      ? 'no violation'
      : `${failures.length} seeds FAILED: ${failures
          .map((it) => it.seed)
          .sort((a, b) => a - b)
          .slice(0, 20)
          .join(', ')}`,
  );
  return failures.length === 0;
}

function elsewhere(shift: Shift, take: (report: Report) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./shift-worker.ts', import.meta.url)));
    child.on('message', (report) => take(report as Report));
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
    child.send(shift);
  });
}

function printFailure({ seed, story }: Failure, { profile, without }: Options): void {
  const more = `${profile === 'usual' ? '' : ` --profile ${profile}`}${without.length === 0 ? '' : ` --without ${without.join(',')}`}`;
  console.log(`\nseed ${seed} FAILED\n${story}\nreplay: npm run simulate -- --seed ${seed}${more}`);
}

try {
  const settings = options(process.argv.slice(2));
  if (settings === undefined) console.log(USAGE);
  else
    process.exitCode = (settings.seed === undefined ? await runAll(settings) : await replay(settings.seed, settings))
      ? 0
      : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
