import type { Sql } from './domain/database.ts';
import type { Tenants } from './domain/tenants.ts';
import { type EditionName, loadEdition } from './editions.ts';
import type { ServiceParts } from './service.ts';

/** A service that listens on a free port, for tests. */
export interface Running {
  readonly url: string;
  close(): Promise<void>;
}

export async function startEdition(
  name: EditionName,
  sql: Sql,
  tenants: Tenants,
  log: ServiceParts['log'] = false,
): Promise<Running> {
  const create = await loadEdition(name);
  const service = await create({ sql, tenants, log });
  return { url: await service.listen(0, '127.0.0.1'), close: () => service.close() };
}
