export { KeyvTidemark, type KeyvTidemarkOptions } from './keyv-tidemark.ts';
