import type { Contender, Open, Setting } from './contender.ts';

/** Each is loaded only by the processes that measure it. */
export const contenders = {
  'lru-cache': async () => (await import('./libraries/lru-cache.ts')).open,
  'lru-cache, key made at the read': async () => (await import('./libraries/lru-cache-made-key.ts')).open,
  'lru-cache fetch': async () => (await import('./libraries/lru-cache-fetch.ts')).open,
  'layered-loader': async () => (await import('./libraries/layered-loader.ts')).open,
  bentocache: async () => (await import('./libraries/bentocache.ts')).open,
  cacheable: async () => (await import('./libraries/cacheable.ts')).open,
  'cache-manager': async () => (await import('./libraries/cache-manager.ts')).open,
  'async-cache-dedupe': async () => (await import('./libraries/async-cache-dedupe.ts')).open,
  'Tidemark getOrSet': async () => (await import('./libraries/tidemark.ts')).open,
  'Tidemark query': async () => (await import('./libraries/tidemark-query.ts')).open,
} satisfies Record<string, () => Promise<Open>>;

export type ContenderName = keyof typeof contenders;

/** Sets up a library by name. */
export async function enter(name: ContenderName, setting: Setting): Promise<Contender> {
  const open: Open = await contenders[name]();
  return open(setting);
}
