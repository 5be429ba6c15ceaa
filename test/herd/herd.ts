import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { startSentinels } from '../servers/redis-sentinels.ts';
import type { Assignment, Order, Report } from './message.ts';
import { Source } from './source.ts';

export interface HerdOptions extends Pick<Assignment, 'processes' | 'entries' | 'concurrency' | 'fleet'> {
  /** How long is read after the failover, in s. */
  readonly seconds: number;
  /** How long a load takes, in ms. */
  readonly time: number;
}

export interface Herd {
  /** Peaks after the failover: loads at once in all processes and in one, and loads of a key beside another of it. */
  readonly most: number;
  readonly mostOfOne: number;
  readonly doubles: number;
  readonly loads: number;
  readonly reads: number;
  readonly errors: readonly string[];
  readonly unanswered: number;
  /** From the death of the primary until every process follows its successor, in ms. */
  readonly recovery: number;
}

const program = fileURLToPath(new URL('./herd-process.ts', import.meta.url));

type Closed = Extract<Report, { readonly type: 'closed' }>;

class Member {
  readonly child: ChildProcess = fork(program, { execArgv: ['--import', 'tsx'] });
  readonly heard = new Set<Report['type']>();
  epochs = 0;
  closed: Closed | undefined;

  send(order: Order): void {
    if (this.child.connected) this.child.send(order, () => {});
  }

  /** The epoch of the new primary, after that of the old one. */
  get follows(): boolean {
    return this.epochs > 1 && this.heard.has('attached');
  }
}

/**
 * Fills a store through a fleet of processes, kills the primary while they read, and looks on as they load everything again
 * from a source that bears only so much.
 *
 * The limit for the fleet is counted on the server. While there is none to ask, and on its successor with what the dead one
 * had given away forgotten, each process keeps its own limit alone; so the peaks are those since all processes follow the
 * new primary, and the ones before are held to the limits of the processes.
 */
export async function herd(options: HerdOptions): Promise<Herd> {
  const { processes, entries, concurrency, fleet, seconds } = options;
  const servers = await startSentinels();
  const source = new Source();
  const members = Array.from({ length: processes }, () => new Member());
  try {
    members.forEach((member, node) => {
      member.child.on('message', (report: Report) => take(member, node, report, source));
      const { ports } = servers;
      const assignment = { node, ports, concurrency, fleet, entries, processes, readers: 5 };
      member.send({ type: 'begin', assignment });
    });
    const all = (type: Report['type'], what: string): Promise<boolean> =>
      waitUntil(() => members.every(({ heard }) => heard.has(type)), { timeout: 300_000, every: 20, what });
    await all('attached', 'every process to follow the log');
    for (const member of members) member.send({ type: 'fill' });
    await all('filled', 'the store to be filled');
    source.time = options.time;
    for (const member of members) member.send({ type: 'read' });
    for (const { heard } of members) heard.delete('attached');
    source.reset();
    const killed = performance.now();
    await servers.primary.kill();
    await waitUntil(() => members.every(({ follows }) => follows), {
      ...{ timeout: 60_000, every: 20, what: 'every process to follow the new primary' },
    });
    const recovery = performance.now() - killed;
    const { mostOfOne: before } = source;
    // What was begun without a server to ask comes to its end.
    await new Promise((resolve) => setTimeout(resolve, 10 * source.time));
    source.reset();
    source.since = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const { most, mostOfOne, doubles, loads } = source;
    for (const member of members) member.send({ type: 'close' });
    await all('closed', 'every process to come to its end');
    const closed = members.map((member) => member.closed as Closed);
    return {
      ...{ most, mostOfOne: Math.max(before, mostOfOne), doubles, loads, recovery },
      reads: closed.reduce((sum, { reads }) => sum + reads, 0),
      errors: closed.flatMap(({ errors }) => errors),
      unanswered: closed.reduce((sum, { unanswered }) => sum + unanswered, 0),
    };
  } finally {
    await Promise.all(members.map(({ child }) => end(child)));
    await servers.stop();
  }
}

function take(member: Member, node: number, report: Report, source: Source): void {
  if (report.type === 'load') {
    void source.load(node, report.key).then(() => member.send({ type: 'loaded', request: report.request }));
    return;
  }
  if (report.type === 'epoch') member.epochs++;
  if (report.type === 'closed') member.closed = report;
  member.heard.add(report.type);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
