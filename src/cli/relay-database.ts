import type { RelayOptions } from '../postgres/index.ts';
import { configFile, loadConfig } from './config-file.ts';
import { UsageError } from './usage-error.ts';

/** Flags of commands about a database. */
export interface DatabaseFlags {
  readonly url?: string | undefined;
  readonly schema?: string | undefined;
  readonly config?: string | undefined;
}

/**
 * Which database is meant: the one that is named, else that of the configuration, else `DATABASE_URL`.
 *
 * @param needed whether there has to be one
 * @throws UsageError
 */
export async function relayDatabase(
  { url, schema, config }: DatabaseFlags,
  needed: boolean,
): Promise<Pick<RelayOptions, 'database'> & { readonly schema: string; readonly relay: RelayOptions | undefined }> {
  const file = url !== undefined && config === undefined ? undefined : configFile(config);
  const relay = file === undefined ? undefined : (await loadConfig(file)).relay;
  const database = url ?? relay?.database ?? process.env['DATABASE_URL'];
  if (database === undefined && needed)
    throw new UsageError('Which database? Give --url, a configuration with relay.database, or DATABASE_URL.');
  return { database: database ?? '', schema: schema ?? relay?.schema ?? 'tidemark', relay };
}
