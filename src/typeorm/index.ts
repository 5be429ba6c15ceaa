export {
  type InvalidatingDataSource,
  type InvalidatingManager,
  type TypeormTransactionOptions,
  withInvalidation,
} from './data-source.ts';
export type { TypeormInvalidationOptions } from './entity-targets.ts';
