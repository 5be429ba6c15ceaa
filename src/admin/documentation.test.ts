import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { routes } from './routes/index.ts';

it('the table of routes in the documentation is that of the routes', () => {
  const page = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8');
  const [, table = ''] = /<!-- routes -->\n([\s\S]*?)<!-- \/routes -->/.exec(page) ?? [];
  const rows = routes.map(({ method, path, role, summary, query }) => {
    const names = Object.keys((query as { shape?: object }).shape ?? {});
    const asked = names.length === 0 ? '' : `?${names.map((it) => `${it}=`).join('&')}`;
    return `| ${method} | \`${path}${asked}\` | ${role} | ${summary} |\n`;
  });
  expect(table).toBe(`| method | path | role | answers |\n|---|---|---|---|\n${rows.join('')}`);
});
