import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../types/prisma/client/client.ts';

export type { PrismaClient };

/** Prisma's client for the tests, whose code `scripts/prisma-client.ts` has written. */
export function openPrisma(url: string, max = 10): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max }) });
}
