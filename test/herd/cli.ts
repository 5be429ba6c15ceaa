import { parseArgs } from 'node:util';
import { herd } from './herd.ts';

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '20' },
    entries: { type: 'string', default: '100000' },
    concurrency: { type: 'string', default: '5' },
    fleet: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '20' },
    time: { type: 'string', default: '20' },
  },
});

const number = (text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`${text} is not a positive whole number`);
};

const options = {
  processes: number(values.processes),
  entries: number(values.entries),
  concurrency: number(values.concurrency),
  fleet: number(values.fleet),
  seconds: number(values.seconds),
  time: number(values.time),
};
const { errors, ...figures } = await herd(options);
console.log(
  `${options.processes} processes, ${options.entries} entries, at most ${options.concurrency} loads in each and ${options.fleet} in all`,
);
console.table({ ...figures, recovery: Math.round(figures.recovery), errors: errors.length });
for (const error of errors.slice(0, 3)) console.log(error);
const kept = figures.most <= options.fleet && figures.mostOfOne <= options.concurrency && figures.doubles === 0;
process.exitCode = kept && errors.length === 0 ? 0 : 1;
