export {
  type DrizzleDatabase,
  type DrizzleTransactionConfig,
  type DrizzleTransactionOf,
  type InvalidatingDatabase,
  type InvalidatingTransaction,
  withInvalidation,
} from './database.ts';
