import type { RelayOptions } from '../postgres/index.ts';
import type { ServeConfig } from './serve-config.ts';

/** What `tidemark.config.ts` says. */
export interface TidemarkConfig {
  /** What `tidemark relay` runs, and the database of `tidemark postgres`. */
  readonly relay?: RelayOptions;
  /** What `tidemark serve` serves. */
  readonly serve?: ServeConfig;
}

/** A configuration, or what makes one: so that secrets may be fetched. */
export type ConfigMaker = TidemarkConfig | (() => TidemarkConfig | Promise<TidemarkConfig>);

/**
 * Returns what it is given: for its types.
 *
 * @example
 * // tidemark.config.ts
 * export default defineConfig({
 *   relay: { name: 'shop', ...redis({ url: 'redis://localhost' }), database: 'postgresql://relay@localhost/shop' },
 * });
 */
export function defineConfig<T extends ConfigMaker>(config: T): T {
  return config;
}
