import { identifier } from './carrier.ts';
import type { TableMapping } from './mapping.ts';
import type { Published, PublishedTable } from './publication.ts';

/** A problem of a mapping, and what mends it. */
export interface MappingProblem {
  readonly problem: string;
  /** A statement, where one does. */
  readonly cure: string;
}

/** What keeps mappings from being told of every change, each with the statement that mends it. */
export function mappingProblems(
  publication: string,
  published: Published,
  mappings: ReadonlyMap<string, TableMapping>,
): MappingProblem[] {
  const problems: MappingProblem[] = [];
  const name = identifier(publication);
  if (published.unpublished.length > 0 && mappings.size > 0)
    problems.push({
      problem: `the publication ${publication} leaves out ${published.unpublished.join(', ')}`,
      cure: `ALTER PUBLICATION ${name} SET (publish = 'insert, update, delete, truncate');`,
    });
  for (const it of published.tables) {
    const mapping = mappings.get(`${it.schema}.${it.table}`);
    if (mapping !== undefined) problems.push(...tableProblems(name, published, it, mapping));
  }
  return problems;
}

function tableProblems(
  publication: string,
  { viaRoot }: Published,
  it: PublishedTable,
  mapping: TableMapping,
): MappingProblem[] {
  const table = `${identifier(it.schema)}.${identifier(it.table)}`;
  if (!it.exists) return [{ problem: `there is no table ${mapping.name}`, cure: 'correct its name in capture.tables' }];
  const unknown = mapping.columns.filter((column) => !it.columns.includes(column));
  if (unknown.length > 0)
    return [
      { problem: `${mapping.name} has no column ${unknown.join(', ')}`, cure: `take one of ${it.columns.join(', ')}` },
    ];
  const problems: MappingProblem[] = [];
  if (it.partitioned && !viaRoot)
    problems.push({
      problem: `${mapping.name} is partitioned, and the publication tells of its partitions`,
      cure: `ALTER PUBLICATION ${publication} SET (publish_via_partition_root = true);`,
    });
  const { published } = it;
  if (published === null) {
    if (!it.partitioned || viaRoot)
      problems.push({
        problem: `${mapping.name} is not in the publication`,
        cure: `ALTER PUBLICATION ${publication} ADD TABLE ${table};`,
      });
  } else {
    const left = mapping.columns.filter((column) => !published.includes(column));
    if (left.length > 0 || it.filtered)
      problems.push({
        problem: `the publication leaves out ${left.length > 0 ? `the column ${left.join(', ')}` : 'rows'} of ${mapping.name}`,
        cure: `ALTER PUBLICATION ${publication} DROP TABLE ${table}; ALTER PUBLICATION ${publication} ADD TABLE ${table};`,
      });
  }
  return [...problems, ...identityProblems(it, mapping)];
}

function identityProblems({ identities }: PublishedTable, mapping: TableMapping): MappingProblem[] {
  return identities.flatMap((identity) => {
    const unknown = mapping.columns.filter((column) => !identity.columns.includes(column));
    if (identity.full || unknown.length === 0) return [];
    const table = `${identifier(identity.schema)}.${identifier(identity.table)}`;
    return [
      {
        problem: `${mapping.name} needs ${unknown.join(', ')} of old rows, and ${identity.schema}.${identity.table} does not log ${unknown.length > 1 ? 'them' : 'it'}`,
        cure: `ALTER TABLE ${table} REPLICA IDENTITY FULL;`,
      },
    ];
  });
}
