import type { DataLayer, Isolation, Row, Statement } from '../postgres/transaction.ts';

/** What is needed of a client, inside a transaction and outside. */
export interface RawClient {
  $queryRawUnsafe(text: string, ...values: unknown[]): Promise<unknown>;
}

/** Prisma's own `$transaction`. */
export type NativeTransaction = (
  this: RawClient,
  work: (tx: RawClient) => Promise<unknown>,
  options?: object,
) => Promise<unknown>;

const LEVELS: Readonly<Record<Isolation, string>> = {
  'read committed': 'ReadCommitted',
  'repeatable read': 'RepeatableRead',
  serializable: 'Serializable',
};

/** @param limits as Prisma takes them */
export function layerOf(client: RawClient, native: NativeTransaction, limits: object): DataLayer<RawClient> {
  return {
    begin: <T>(work: (tx: RawClient) => Promise<T>, { isolation }: { isolation: Isolation | undefined }) =>
      native.call(client, work, {
        ...limits,
        ...(isolation !== undefined && { isolationLevel: LEVELS[isolation] }),
      }) as Promise<T>,
    query: run,
    outside: (statement) => run(client, statement),
    sqlState,
  };
}

async function run(client: RawClient, { text, values }: Statement): Promise<readonly Row[]> {
  return (await client.$queryRawUnsafe(text, ...values)) as readonly Row[];
}

/** The SQLSTATE is below Prisma's codes, which look like some: in the driver's error, as it is thrown or as it is told of. */
function sqlState(error: unknown): string | undefined {
  const { code, cause, meta } = (error ?? {}) as {
    readonly code?: unknown;
    readonly cause?: DriverCause;
    readonly meta?: { readonly driverAdapterError?: { readonly cause?: DriverCause } };
  };
  const original = meta?.driverAdapterError?.cause?.originalCode ?? cause?.originalCode;
  if (typeof original === 'string') return original;
  // A write conflict or a deadlock.
  return code === 'P2034' ? '40001' : undefined;
}

interface DriverCause {
  readonly originalCode?: unknown;
}
