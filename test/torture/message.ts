import type { Guard } from '../../src/coherence/guards.ts';
import type { Token } from '../../src/index.ts';
import type { TargetKind } from '../simulation/catalogue.ts';
import type { Fact } from '../simulation/history.ts';

/** What a writer does after it has changed rows. Only the first is right; the others show that the checker sees. */
export type Habit = 'invalidate' | 'forget' | 'delete';

/** All that a process of the fleet is told when it starts. */
export interface Assignment {
  readonly node: number;
  readonly life: number;
  readonly seed: number;
  /** Of the shared clock, in decimal. */
  readonly origin: string;
  readonly name: string;
  readonly url: string;
  readonly maxLag: number;
  readonly replicas: number;
  /** Bytes of records that the log keeps. */
  readonly history: number;
  readonly rows: number;
  readonly readers: number;
  readonly writers: number;
  /** Writes that are made at once now and then. */
  readonly burst: number;
  readonly habit: Habit;
  /** Guards taken out of the cache: something must be found. */
  readonly without: readonly Guard[];
}

/** What covers one row, as the catalogue draws it. */
export interface Aim {
  readonly kind: TargetKind;
  readonly row: number;
  readonly draw: number;
}

/** A change of rows, and what its writer means to invalidate. */
export interface Write {
  readonly write: number;
  readonly aims: readonly Aim[];
  /** Of all rows, just after the change. */
  readonly versions: readonly number[];
}

/** To a process. */
export type Order =
  | { readonly type: 'begin'; readonly assignment: Assignment }
  | { readonly type: 'snapshot'; readonly request: number; readonly load: number; readonly version: number }
  | ({ readonly type: 'committed'; readonly request: number } & Write)
  /** To be invalidated for a process that died. */
  | { readonly type: 'inherit'; readonly writes: readonly Write[] }
  /** Of a write elsewhere, to be read here. */
  | { readonly type: 'token'; readonly write: number; readonly row: number; readonly token: Token }
  | { readonly type: 'rest' | 'audit' | 'close' };

/** From a process. */
export type Report =
  | { readonly type: 'facts'; readonly facts: readonly Fact[] }
  | { readonly type: 'load'; readonly request: number; readonly row: number }
  | {
      readonly type: 'commit';
      readonly request: number;
      readonly rows: readonly number[];
      readonly aims: readonly Aim[];
    }
  | { readonly type: 'token'; readonly write: number; readonly row: number; readonly token: Token }
  /** What the log took, by the number that it was given: the server's time in microseconds. */
  | {
      readonly type: 'sent';
      readonly at: number;
      readonly number: number;
      readonly epoch: string;
      readonly cells: readonly number[];
    }
  | { readonly type: 'ready' | 'rested' | 'audited' | 'closed' };
