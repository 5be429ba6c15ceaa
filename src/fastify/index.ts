export { tidemarkAdmin } from './admin.ts';
export { tidemark, type TidemarkOptions } from './plugin.ts';
