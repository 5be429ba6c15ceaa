import type { Fact } from '../simulation/history.ts';
import { Member } from './member.ts';
import type { Assignment, Report, Write } from './message.ts';
import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { Truth } from './truth.ts';

/** What a node got into the log, by the server's clock. */
export type Sent = Extract<Report, { readonly type: 'sent' }>;

export interface FleetParts {
  /** Of each process but for what differs between them. */
  readonly common: Omit<Assignment, 'node' | 'life' | 'seed' | 'url' | 'writers'>;
  readonly processes: number;
  readonly urlOf: (node: number) => string;
  readonly random: SeededRandom;
  readonly truth: Truth;
  readonly tell: (fact: Fact) => void;
  readonly now: () => number;
}

/** The processes of one run. */
export class Fleet {
  readonly #parts: FleetParts;
  readonly #members: Member[] = [];
  readonly #sent: Sent[] = [];
  /** By life: writes whose records are not known to be in the log. */
  readonly #open = new Map<number, Map<number, Write>>();
  #lives = 0;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  get sent(): readonly Sent[] {
    return this.#sent;
  }

  async start(): Promise<void> {
    for (let node = 0; node < this.#parts.processes; node++) this.#members[node] = this.#launch(node);
    await this.#all('ready');
  }

  /** Kills a process and starts another in its place, which takes over what it has not invalidated. */
  async replace(node: number): Promise<void> {
    const old = this.#members[node] as Member;
    await old.kill();
    this.#parts.tell({ at: this.#parts.now(), type: 'killed', node });
    const successor = this.#launch(node);
    this.#members[node] = successor;
    const { life } = old.assignment;
    const writes = [...(this.#open.get(life)?.values() ?? [])];
    this.#open.delete(life);
    for (const write of writes) this.#openOf(successor.assignment.life).set(write.write, write);
    successor.send({ type: 'inherit', writes });
    await successor.until('ready');
  }

  /** Readers and writers stop, and everything settles. */
  async rest(): Promise<void> {
    for (const member of this.#members) member.send({ type: 'rest' });
    await this.#all('rested');
  }

  /** Every node reads every row. */
  async audit(): Promise<void> {
    for (const member of this.#members) member.send({ type: 'audit' });
    await this.#all('audited');
  }

  async close(): Promise<void> {
    for (const member of this.#members) member.send({ type: 'close' });
    await this.#all('closed');
  }

  async kill(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.kill()));
  }

  async #all(type: Report['type']): Promise<void> {
    await Promise.all(this.#members.map((member) => member.until(type)));
  }

  #launch(node: number): Member {
    const { common, urlOf, random, processes } = this.#parts;
    const life = ++this.#lives;
    // Half of them only read: one with a write in its queue serves nothing, whatever else it should have noticed.
    const writers = node < processes / 2 ? 2 : 0;
    const assignment = { ...common, writers, node, life, seed: random.bits(), url: urlOf(node) };
    const member: Member = new Member(assignment, (report) => this.#take(member, report));
    return member;
  }

  #take(from: Member, report: Report): void {
    const { truth, tell, random } = this.#parts;
    const { node, life } = from.assignment;
    switch (report.type) {
      case 'facts':
        for (const fact of report.facts) {
          if (fact.type === 'acknowledged' && fact.status !== 'queued') this.#open.get(life)?.delete(fact.write);
          tell(fact);
        }
        return;
      case 'load':
        return from.send({ type: 'snapshot', request: report.request, ...truth.snapshot(node, report.row) });
      case 'commit': {
        // Of a process that has died: its transaction never began.
        if (this.#members[node] !== from) return;
        const write = { ...truth.commit(report.rows), aims: report.aims };
        this.#openOf(life).set(write.write, write);
        return from.send({ type: 'committed', request: report.request, ...write });
      }
      case 'token':
        return random.pick(this.#members).send(report);
      case 'sent':
        this.#sent.push(report);
        return;
      default:
        return;
    }
  }

  #openOf(life: number): Map<number, Write> {
    let open = this.#open.get(life);
    if (open === undefined) {
      open = new Map();
      this.#open.set(life, open);
    }
    return open;
  }
}
