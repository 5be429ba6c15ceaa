import { Member } from '../crash/member.ts';
import type { Assignment, Order, Report, Served } from './message.ts';

type Node = Member<Order, Report>;

/** What all nodes have cached, compared with the database. */
export interface Comparison {
  /** When the last of them had looked, on the shared clock. */
  readonly at: number;
  readonly cached: number;
  readonly wrong: readonly string[];
}

/** The processes that read. */
export class Fleet {
  readonly #nodes: readonly Node[];

  constructor(size: number, assignment: Assignment) {
    const program = new URL('./node-process.ts', import.meta.url);
    this.#nodes = Array.from({ length: size }, () => new Member(program, { type: 'begin', assignment }));
  }

  async ready(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.hears('ready')));
  }

  /** The others when one of them has loaded. */
  async warm(rows: number): Promise<void> {
    const warm = (node: Node): Promise<unknown> => node.ask({ type: 'warm', rows }, 'warmed');
    await Promise.all(this.#nodes.slice(0, 1).map(warm));
    await Promise.all(this.#nodes.slice(1).map(warm));
  }

  read(): void {
    for (const node of this.#nodes) node.send({ type: 'read' });
  }

  async rest(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.ask({ type: 'rest' }, 'rested')));
  }

  /** Looks until everything that is cached is this, or `patience` ms have passed. */
  async compare(balances: readonly number[], patience: number): Promise<Comparison> {
    const order = { type: 'compare', balances, patience } as const;
    const found = await Promise.all(this.#nodes.map((node) => node.ask(order, 'compared')));
    return {
      at: Math.max(...found.map(({ at }) => at)),
      cached: found.reduce((sum, it) => sum + it.cached, 0),
      wrong: found.flatMap(({ wrong }) => wrong),
    };
  }

  /** Reads the first rows in all nodes, through all tiers; some texts about those that are not this. */
  async audit(balances: readonly number[]): Promise<string[]> {
    const found = await Promise.all(this.#nodes.map((node) => node.ask({ type: 'audit', balances }, 'audited')));
    return found.flatMap(({ wrong }) => wrong);
  }

  /** All that was served. */
  async tell(): Promise<Served[]> {
    const served: Served[] = [];
    for (const node of this.#nodes) {
      node.listen((report) => {
        if (report.type === 'told') served.push(...report.served);
      });
      const told = node.hears('told', ({ last }) => last);
      node.send({ type: 'tell' });
      await told;
    }
    return served;
  }

  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.end()));
  }
}
