import { parseArgs } from 'node:util';
import { percentile } from '../torture/figures.ts';
import { Bank } from './bank.ts';
import { pgbenchProgram } from './tpcb.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    bound: { type: 'string', default: '2000' },
    compare: { type: 'string', default: '3' },
    help: { type: 'boolean' },
  },
});
if (values.help === true) {
  console.log('npm run pgbench -- --seconds 60 --bound 2000 --compare 3');
  console.log(
    'pgbench writes while three nodes read what it changes; then with capture and without, so many times each.',
  );
  process.exit();
}
const [seconds, bound, compare] = [values.seconds, values.bound, values.compare].map(Number) as [
  number,
  number,
  number,
];

const bank = await Bank.open(pgbenchProgram());
try {
  if (bank.program === undefined)
    console.log(
      'There is no pgbench here (Debian: apt install postgresql): the same statements over pg stand in for it.',
    );
  const run = await bank.run(seconds);
  const at = (share: number): string => `${percentile(run.staleness, share).toFixed(1)} ms`;
  console.log(
    `${run.written.by}: ${run.written.transactions} transactions, ${run.written.rate.toFixed(0)} in a second`,
  );
  console.log(`three nodes: ${run.reads} reads, ${((100 * run.hits) / run.reads).toFixed(1)} % hits`);
  console.log(`staleness of hits, upper bounds: p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}; bound ${bound} ms`);
  console.log(`longest lag that the relay has told: ${run.longestLag.toFixed(0)} ms`);
  console.log(`${run.cached} cached balances were the database's ${run.settled.toFixed(0)} ms after the end`);
  console.log(run.capture);
  if (percentile(run.staleness, 1) > bound || run.settled > 2_000) process.exitCode = 1;
  const rates = { without: [] as number[], with: [] as number[] };
  for (let i = 0; i < compare; i++) {
    rates.without.push((await bank.measure(seconds / 3, false)).rate);
    rates.with.push((await bank.measure(seconds / 3, true)).rate);
  }
  if (compare > 0) {
    const median = (of: number[]): number =>
      percentile(
        of.toSorted((a, b) => a - b),
        0.5,
      );
    const [before, after] = [median(rates.without), median(rates.with)];
    console.log(
      `median of ${compare} runs: ${before.toFixed(0)} in a second without capture, ${after.toFixed(0)} with`,
    );
    console.log(`lost: ${(100 * (1 - after / before)).toFixed(1)} %; all runs:`, rates);
  }
} finally {
  await bank.close();
}
