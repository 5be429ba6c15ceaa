export { defineConfig, type TidemarkConfig } from './config.ts';
