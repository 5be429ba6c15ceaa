import { parseArgs } from 'node:util';
import { pairs, type PairsOptions } from './pairs.ts';

const USAGE = `Clients write a row and read it at once, through a proxy in front of several instances of a service on one Redis.

  npm run pairs -- --pairs 10000        so many pairs with the header of the position, and as many without
      --instances 3 --clients 3
      --late 0                          how much later than they could all instances but the first hear of records, in ms
`;

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '10000' },
    instances: { type: 'string', default: '3' },
    clients: { type: 'string', default: '3' },
    late: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});

function number(name: 'pairs' | 'instances' | 'clients' | 'late'): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= (name === 'late' ? 0 : 1)) return value;
  throw new Error(`--${name}: ${values[name]} is not a whole number`);
}

/** The value that so large a share is at or below, in ms. */
function quantile(times: readonly number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return Math.round(value * 1_000) / 1_000;
}

async function run(options: PairsOptions): Promise<boolean> {
  const { withHeader, without, message } = await pairs(options);
  const row = ({ older, afterWrite, plain }: typeof withHeader) => ({
    pairs: afterWrite.length,
    'older than the own write': older,
    'median, ms': quantile(afterWrite, 0.5),
    'p99, ms': quantile(afterWrite, 0.99),
    'plain read, median, ms': quantile(plain, 0.5),
    'plain read, p99, ms': quantile(plain, 0.99),
  });
  console.table({ 'with the header': row(withHeader), without: row(without) });
  const latency = quantile(message, 0.5);
  if (message.length > 0) console.log(`one message: median ${latency} ms, p99 ${quantile(message, 0.99)} ms`);
  return withHeader.older === 0;
}

if (values.help) console.log(USAGE);
else {
  const options = { pairs: number('pairs'), instances: number('instances') };
  process.exitCode = (await run({ ...options, clients: number('clients'), late: number('late') })) ? 0 : 1;
}
