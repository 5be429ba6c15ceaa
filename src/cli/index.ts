export { defineConfig, type TidemarkConfig } from './config.ts';
export type { ServeConfig } from './serve-config.ts';
