export { tidemark, type TidemarkOptions } from './plugin.ts';
