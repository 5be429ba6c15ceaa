import type { CacheOptions, Part, Presence } from '../index.ts';

/**
 * The options of a cache that looks at its fleet and is no part of it: it keeps nothing in memory, is not in the list of nodes that
 * writers wait for. What it invalidates is invalidated all the same.
 */
export function onlooker(options: CacheOptions): CacheOptions {
  const { presence, ...rest } = options;
  return {
    ...rest,
    memory: false,
    ...(presence !== undefined && { presence: instead(presence, listing) }),
  };
}

function listing(real: Presence): Presence {
  return { register: async () => {}, list: () => real.list(), remove: async () => {} };
}

/** What was made for a cache ends with it. */
function instead<T extends object>(part: Part<T>, make: (real: T) => T): Part<T> {
  if (typeof part !== 'function') return make(part);
  return (context) => {
    const real = part(context);
    const close = async (): Promise<void> => {
      if ('close' in real && typeof real.close === 'function') await (real.close as () => Promise<void>)();
    };
    return { ...make(real), close };
  };
}
