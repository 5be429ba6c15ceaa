import { TidemarkError } from '../coherence/errors.ts';

/** What one node says of itself, as the others read it. */
export interface NodeReport {
  readonly node: string;
  /** As it was published. */
  readonly report: string;
  /** Milliseconds since it was published, by the server's clock alone. */
  readonly age: number;
}

/**
 * What the nodes of a fleet say of themselves, for people and tools: counts, latencies, health.
 *
 * It does not promise that a report is current, that a node that lives has one, or that the list survives its server. Nothing that
 * decides about truth reads it.
 */
export interface Reports {
  /**
   * Replaces the report of a node; it is forgotten when it was not replaced for `ttl` ms.
   *
   * @throws TidemarkError `INVALID_OPTION` for a report of more than 64 KiB
   */
  publish(node: string, report: string, ttl: number): Promise<void>;
  list(): Promise<readonly NodeReport[]>;
  /** For a node that ends. */
  withdraw(node: string): Promise<void>;
}

/** Most bytes of a report: what a fleet says of itself must stay small beside what it keeps. */
const LARGEST = 65_536;

/** @throws TidemarkError `INVALID_OPTION` for a report that is too long */
export function checkReport(report: string): void {
  const size = Buffer.byteLength(report);
  if (size <= LARGEST) return;
  throw new TidemarkError('INVALID_OPTION', `report: ${size} bytes are more than ${LARGEST}. Say less of a node.`);
}
