import { checkReport, type NodeReport, type Reports } from '../cache/reports.ts';
import type { RedisKeys } from './keys.ts';
import type { Link } from './link.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import { Script } from './script.ts';

export interface RedisReportsParts {
  readonly keys: RedisKeys;
  /** What a node's own report is published by. */
  readonly data: Link;
  /** What the reports of all are read by: a large answer keeps no write waiting. Made when it is first asked for. */
  readonly tools: () => Link;
  /** Called when it is closed: whoever made what it uses ends it. */
  readonly release: () => void;
}

/** How long all reports may take to come, in ms. */
const LIST = 5_000;

/** The reports of a fleet: one hash, whose entries run out by the server's clock. One round trip, one script. */
export class RedisReports implements Reports {
  readonly #parts: RedisReportsParts;
  readonly #script = new Script('reports.lua');

  constructor(parts: RedisReportsParts) {
    this.#parts = parts;
  }

  async publish(node: string, report: string, ttl: number): Promise<void> {
    checkReport(report);
    const { keys, data } = this.#parts;
    const request = ['publish', node, String(Math.ceil(ttl)), report];
    await data.run((connection) => this.#script.run(connection, [keys.reports], request));
  }

  async list(): Promise<readonly NodeReport[]> {
    const { keys, tools } = this.#parts;
    const answer = listOf(
      await tools().run((connection) => this.#script.run(connection, [keys.reports], ['list']), LIST),
    );
    return Array.from({ length: answer.length / 3 }, (_, i) => ({
      node: textOf(answer[3 * i]),
      age: numberOf(answer[3 * i + 1]),
      report: textOf(answer[3 * i + 2]),
    }));
  }

  async withdraw(node: string): Promise<void> {
    const { keys, data } = this.#parts;
    await data.run((connection) => connection.send(['HDEL', keys.reports, node]));
  }

  close(): Promise<void> {
    this.#parts.release();
    return Promise.resolve();
  }
}
