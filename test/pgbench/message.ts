import type { CaptureStatus } from '../../src/postgres/index.ts';
import type { Mapping } from './capturing.ts';
import type { RowName } from './row.ts';

/** Where the servers are. */
export interface Assignment {
  readonly database: string;
  readonly redis: string;
  /** Of the shared clock, in decimal. */
  readonly origin: string;
  /** In ms. */
  readonly maxLag: number;
  /** Of the relay. */
  readonly mapping: Mapping;
}

/** What was served to a read: row, version, balance, when the read began on the shared clock, and whether no load was made. */
export type Served = readonly [row: RowName, version: string, balance: number, began: number, hit: boolean];

/** To a process; those but the first are a node's. */
export type Order =
  | { readonly type: 'begin'; readonly assignment: Assignment }
  /** To read so many rows, so that they are cached. */
  | { readonly type: 'warm'; readonly rows: number }
  /** To read all the time, and to end that. */
  | { readonly type: 'read' | 'rest' }
  /** To look whether all that is cached is this, until it is or so many ms have passed. */
  | { readonly type: 'compare'; readonly balances: readonly number[]; readonly patience: number }
  /** To look whether reads of the first rows bring this. */
  | { readonly type: 'audit'; readonly balances: readonly number[] }
  /** To tell what was served. */
  | { readonly type: 'tell' };

/** From a process. */
export type Report =
  | { readonly type: 'ready' | 'warmed' | 'rested' }
  /** The relay's, again and again. */
  | { readonly type: 'captured'; readonly status: CaptureStatus }
  /** How many rows were cached, some that differed, and when all had been looked at, on the shared clock. */
  | { readonly type: 'compared'; readonly at: number; readonly cached: number; readonly wrong: readonly string[] }
  | { readonly type: 'audited'; readonly wrong: readonly string[] }
  /** A part of what was served, and whether it is the last one. */
  | { readonly type: 'told'; readonly served: readonly Served[]; readonly last: boolean };
