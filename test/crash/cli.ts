import { parseArgs } from 'node:util';
import { percentile } from '../torture/figures.ts';
import { carriers } from './carrier.ts';
import { crash } from './crash.ts';
import { takeover } from './takeover.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '200' },
    carrier: { type: 'string', default: 'outbox' },
    takeover: { type: 'boolean', default: false },
    signal: { type: 'string', default: 'SIGKILL' },
    help: { type: 'boolean' },
  },
});
if (values.help === true) {
  console.log(`npm run crash -- --times 200 --carrier ${Object.keys(carriers).join('|')}`);
  console.log('Kills writers around their commits until so many have died between the commit and the log.');
  console.log(
    'With --takeover [--signal SIGKILL|SIGSTOP]: how long it takes until another relay has taken over, so many times.',
  );
  process.exit();
}
const times = Number(values.times);
if (!Number.isSafeInteger(times) || times < 1) throw new Error(`${values.times} is not a positive whole number`);

if (values.takeover) await measureTakeover();
else await killWriters();

/** From the signal until the log has what was committed after it. */
async function measureTakeover(): Promise<void> {
  const { carrier, signal } = values;
  if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') throw new Error(`${signal} is neither SIGKILL nor SIGSTOP`);
  const found = await takeover({
    rounds: times,
    carrier,
    signal,
    progress: (ms) => console.log(`${ms.toFixed(0)} ms`),
  });
  const ordered = found.toSorted((a, b) => a - b);
  const at = (share: number): string => `${percentile(ordered, share).toFixed(0)} ms`;
  console.log(`carrier ${carrier}, ${signal}, ${times} times: p50 ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}`);
}

async function killWriters(): Promise<void> {
  let told = 0;
  const { points, delays, violations, ...figures } = await crash({
    times,
    carrier: values.carrier,
    progress: ({ killed, between }) => {
      if (killed < told + 25) return;
      told = killed;
      console.log(`${killed} killed, ${between} in between`);
    },
  });
  const at = (share: number): string => (delays.length === 0 ? '-' : `${percentile(delays, share).toFixed(1)} ms`);
  console.log(`carrier ${values.carrier}; killed by point: ${JSON.stringify(points)}`);
  console.table({ ...figures, violations: violations.length });
  console.log(`commit to log, by the relay: p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}`);
  for (const violation of violations.slice(0, 20)) console.log(violation);
  process.exitCode = violations.length === 0 && figures.between >= times ? 0 : 1;
}
