import { parseArgs } from 'node:util';
import { percentile } from '../torture/figures.ts';
import { Bank } from './bank.ts';
import { pgbenchProgram } from './tpcb.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    warm: { type: 'string', default: '100011' },
    compare: { type: 'string', default: '0' },
    help: { type: 'boolean' },
  },
});
if (values.help === true) {
  console.log('npm run pgbench -- --seconds 60 --compare 3');
  console.log('pgbench writes while three processes read every balance. --seconds 0 leaves that out.');
  console.log('--warm n: only so many rows are cached when it begins.');
  console.log('--compare n: then pgbench alone, n times 20 s each with capture and without.');
  process.exit();
}
const [seconds, warm, compare] = [values.seconds, values.warm, values.compare].map(Number) as [number, number, number];

/** Of each run that is compared. */
const PART = 20;

const parts = (list: readonly number[]): string => {
  const [half, most, all] = [0.5, 0.99, 1].map((share) => percentile(list, share).toFixed(1));
  return `p50 ${half} ms, p99 ${most} ms, most ${all} ms`;
};

const program = pgbenchProgram();
if (program === undefined)
  console.log(
    'There is no pgbench here (Debian: apt install postgresql): the same statements over pg stand in for it.',
  );
if (seconds > 0) await read();
if (compare > 0) await measure();

async function read(): Promise<void> {
  const bank = await Bank.open(program);
  try {
    const run = await bank.run({ seconds, warm });
    const { written, staleness, lags, violations } = run;
    console.log(`${written.by}: ${written.transactions} transactions, ${written.rate.toFixed(0)} in a second`);
    console.log(`three processes: ${run.reads} reads, ${((100 * run.hits) / run.reads).toFixed(1)} % hits`);
    console.log(`hits of rows that were written meanwhile: ${run.changed}, behind a commit: ${staleness.length}`);
    console.log(`those were behind: ${parts(staleness)}`);
    console.log(`from commit to log: ${parts(lags)}; the relay told of ${run.toldLag.toFixed(0)} ms at most`);
    console.log(`most of any read: ${run.stalest.toFixed(1)} ms; bound, with maxLag: ${run.bound.toFixed(1)} ms`);
    console.log(`${run.cached} cached balances were the database's ${run.settled.toFixed(0)} ms after the end`);
    console.log(run.capture);
    console.log(violations.length === 0 ? 'no violations' : violations.slice(0, 20).join('\n'));
    if (violations.length > 0) process.exitCode = 1;
  } finally {
    await bank.close();
  }
}

async function measure(): Promise<void> {
  const bank = await Bank.open(program, []);
  const rates = { without: [] as number[], with: [] as number[] };
  try {
    for (let i = 0; i < compare; i++) {
      rates.without.push((await bank.measure(PART, false)).rate);
      rates.with.push((await bank.measure(PART, true)).rate);
    }
  } finally {
    await bank.close();
  }
  const [before, after] = [rates.without, rates.with].map((of) =>
    percentile(
      of.toSorted((a, b) => a - b),
      0.5,
    ),
  ) as [number, number];
  console.log(`median of ${compare}: ${before.toFixed(0)} in a second without capture, ${after.toFixed(0)} with`);
  console.log(`lost: ${(100 * (1 - after / before)).toFixed(1)} %; all:`, rates);
}
