import { parseArgs } from 'node:util';
import type { Guard } from '../../src/coherence/guards.ts';
import { GUARDS } from '../simulation/guard-names.ts';
import { OUTER_GUARDS } from '../simulation/server-guards.ts';
import { tell } from '../simulation/story.ts';
import { faultNamed, faults } from './fault.ts';
import { tableOf } from './table.ts';
import { torture, type TortureOptions } from './torture.ts';

const USAGE = `Runs processes of a fleet on a real server, breaks things again and again, and checks what was read against what is promised.

  npm run torture -- --processes 4 --fault kill --seconds 300
      --fault      one of: ${Object.keys(faults).join(', ')}
      --processes  default 4
      --seconds    how long things are broken; default 60
      --seed       of the random choices; default 1
      --without    guards to take out, such as age,epoch: something must be found
`;

/** Violations whose stories are printed. */
const STORIES = 3;

function options(): TortureOptions | undefined {
  const { values } = parseArgs({
    options: {
      fault: { type: 'string', default: 'none' },
      processes: { type: 'string', default: '4' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      without: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    fault: faultNamed(values.fault),
    processes: whole(values.processes, '--processes'),
    seconds: whole(values.seconds, '--seconds'),
    seed: whole(values.seed, '--seed'),
    without: guards(values.without),
  };
}

function whole(text: string, option: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`${option}: ${text} is not a positive whole number`);
}

function guards(text: string): Guard[] {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !isGuard(name));
  if (unknown !== undefined) throw new Error(`--without: there is no guard ${unknown} in the cache`);
  return names.filter(isGuard);
}

function isGuard(name: string): name is Guard {
  return (GUARDS as readonly string[]).includes(name) && !(OUTER_GUARDS as readonly string[]).includes(name);
}

const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => reject(new Error(`Ended by ${signal}.`)));
});
interrupted.catch(() => {});

try {
  const chosen = options();
  if (chosen === undefined) console.log(USAGE);
  else {
    const verdict = await torture({ ...chosen, interrupted });
    for (const violation of verdict.violations.slice(0, STORIES)) console.log(`${tell(verdict.facts, violation)}\n`);
    console.log(`${chosen.fault}, ${chosen.processes} processes, ${chosen.seconds} s, seed ${chosen.seed}`);
    console.log(tableOf(verdict));
    process.exitCode = verdict.violations.length > 0 || verdict.stale > 0 ? 1 : 0;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
