import type { User, Value } from './workload.ts';

/** What a library is set up with. */
export interface Setting {
  readonly capacity: number;
  readonly load: (key: string) => Promise<Value>;
  /** The tags of an entry; without it, the library's own set-up without tags. */
  readonly tags?: (key: string) => string[];
}

/** One library, used as its documentation says. */
export interface Contender {
  /** Read-through, in the library's own words. */
  read(user: User): Promise<Value | undefined> | Value | undefined;
  /** What memory has, without a promise. */
  peek?(user: User): Value | undefined;
  invalidate?(tag: string): Promise<unknown>;
}

export type Open = (setting: Setting) => Contender | Promise<Contender>;
