export {
  type ControlledCommand,
  type ControlledTransactionOptions,
  type InvalidatingControlledTransaction,
  type InvalidatingControlledTransactionBuilder,
} from './controlled-transaction.ts';
export { type InvalidatingKysely, withInvalidation } from './database.ts';
export type { InvalidatingTransaction, InvalidatingTransactionBuilder } from './transaction-builder.ts';
