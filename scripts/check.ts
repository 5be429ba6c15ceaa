import { spawnSync } from 'node:child_process';

/** What `npm run check` runs, in this order: names of scripts in package.json. One failing does not stop the others. */
const steps = [
  'types',
  'lint',
  'check:format',
  'check:imports',
  'check:habits',
  'check:unused',
  'build',
  'check:package',
] as const;

const failed = steps.filter((step) => {
  console.log(`\n== ${step}`);
  return spawnSync('npm', ['run', '--silent', step], { stdio: 'inherit' }).status !== 0;
});

console.log('');
for (const step of steps) console.log(`${failed.includes(step) ? 'FAILED' : 'passed'} ${step}`);
console.log(`check: ${steps.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
