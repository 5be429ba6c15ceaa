/* oxlint-disable vitest/expect-expect -- a line that must not compile is an assertion, made by the compiler */
import { key, tag } from 'tidemark';
import { type CaptureTables, capture, captureTables } from 'tidemark/postgres';
import { expectTypeOf, it } from 'vitest';

interface Database {
  users: { id: number; org_id: number; name: string };
  orgs: { id: bigint };
}

it('a mapping is given the columns that it lists', () => {
  const tables = captureTables<Database>()({
    users: {
      columns: ['id', 'org_id'],
      targets: (row) => {
        expectTypeOf(row).toEqualTypeOf<{ id: number; org_id: number }>();
        return [key('user', row.id), tag(`org:${row.org_id}`)];
      },
    },
    orgs: { columns: ['id'], targets: ({ id }) => key('org', id), truncated: tag('orgs') },
  });
  expectTypeOf(tables).toEqualTypeOf<CaptureTables>();
  capture({ tables });
});

it('columns and tables have to be there', () => {
  // @ts-expect-error -- there is no such column
  captureTables<Database>()({ users: { columns: ['idd'], targets: () => [] } });
  // @ts-expect-error -- there is no such table
  captureTables<Database>()({ user: { columns: ['id'], targets: () => [] } });
  // @ts-expect-error -- `name` is not listed
  captureTables<Database>()({ users: { columns: ['id'], targets: (row) => key('user', row.name) } });
  // @ts-expect-error -- a text is no target
  captureTables<Database>()({ users: { columns: ['id'], targets: () => 'user:1' } });
});

it('without types every column is unknown', () => {
  capture({ tables: { users: { columns: ['id'], targets: (row) => key('user', row['id']) } } });
  capture({ tables: { users: { columns: ['id'], targets: (row: { id: number }) => key('user', row.id) } } });
});
