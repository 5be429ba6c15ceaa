import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitUntil } from 'tidemark/testing';
import { afterEach, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

let running: ChildProcess | undefined;
afterEach(() => {
  running?.kill('SIGKILL');
  running = undefined;
});

/** As `npm run example:booking` does it. That nothing is left is checked when this file ends. */
function launch(environment: NodeJS.ProcessEnv = {}, ...flags: string[]) {
  const output = { stdout: '', stderr: '' };
  const env = { ...process.env, DATABASE_URL: '', REDIS_URL: '', CALENDAR_URL: '', ...environment };
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'examples/booking/main.ts', ...flags], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running = child;
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  return { child, output, ended: once(child, 'close') };
}

it('plays its story, says what happened and when, and ends', async () => {
  const { child, output, ended } = launch();
  await ended;
  expect(output.stderr).toBe('');
  expect(child.exitCode).toBe(0);
  for (const line of [
    /^Database: PGlite, in this process$/m,
    /^ +\d+ ms {2}client {5}2031-03-03: 31 times from 09:00 on, calendar live, from memory$/m,
    /^ +\d+ ms {2}book {7}A\w+ insert the appointment$/m,
    /^ +\d+ ms {2}mailbox {4}A\w+: Haircut with Noor: 2031-03-03T10:00$/m,
    /^ +\d+ ms {2}story {6}1 has it, 11 were told that it is taken$/m,
    /^ +\d+ ms {2}reschedule A\w+ put the new time into the calendar failed: /m,
    /^ +\d+ ms {2}reschedule A\w+ undone: claim the new time$/m,
    /^ +\d+ ms {2}client {5}2031-03-03: \d+ times from 09:00 on, calendar last-known, from loader$/m,
    /^ +\d+ ms {2}client {5}cancels A\w+: 200$/m,
    /^All as expected\.$/m,
  ])
    expect(output.stdout).toMatch(line);
}, 120_000);

it('serves what its README shows, and stops when it is told to', async () => {
  const { child, output, ended } = launch({ PORT: '0' }, '--serve');
  await waitUntil(() => output.stdout.includes('/failure -d hang') || child.exitCode !== null, { timeout: 110_000 });
  const url = /^Booking: +(\S+)$/m.exec(output.stdout)?.[1] ?? '';
  const offered = async (): Promise<string> =>
    (await fetch(`${url}/staff/S1/availability?day=2031-03-03&service=cut`)).text();
  expect(await offered()).toContain('2031-03-03T10:00:00.000Z');
  const body = '{"staffId":"S1","serviceId":"cut","customerId":"C1","start":"2031-03-03T10:00:00Z"}';
  const headers = { 'content-type': 'application/json' };
  const booked = await fetch(`${url}/appointments`, { method: 'POST', headers, body });
  expect([booked.status, await booked.text()]).toEqual([201, expect.stringContaining('"state":"booked"')]);
  expect(await offered()).not.toContain('"2031-03-03T10:00:00.000Z","2031-03-03T10:15');
  expect(output.stdout).toContain('Haircut with Noor: 2031-03-03T10:00');
  expect(output.stderr).toContain('cache_bust tags=day:S1:2031-03-03');
  child.kill('SIGTERM');
  await ended;
  expect(child.exitCode).toBe(0);
}, 150_000);

it('says in one line what is wrong', async () => {
  for (const [environment, message] of [
    [{ PORT: '30o2' }, 'PORT must be a number from 0 to 65535, not "30o2".'],
    [{ ABANDONED_AFTER: '-1' }, 'ABANDONED_AFTER must be a number from 0 to 86400000, not "-1".'],
    [
      { DATABASE_URL: 'mysql://nobody@127.0.0.1/x' },
      'DATABASE_URL is no address of a Postgres, such as postgresql://user@localhost/name.',
    ],
  ] as const) {
    const { child, output, ended } = launch(environment, '--serve');
    await ended;
    expect([child.exitCode, output.stderr.trim()]).toEqual([1, message]);
  }
}, 60_000);
