export {
  type PrismaInvalidation,
  type PrismaIsolationLevel,
  type PrismaTransaction,
  type PrismaTransactionClient,
  type PrismaTransactionOptions,
  type PrismaTransactionWithReceipt,
  withInvalidation,
} from './extension.ts';
