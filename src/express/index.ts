export { tidemark, type TidemarkOptions } from './middleware.ts';
