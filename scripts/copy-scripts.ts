import { cpSync, readdirSync } from 'node:fs';
import { root } from './start.ts';

// The compiler copies no Lua and no SQL: puts each script of src beside its compiled module.
for (const path of readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' })) {
  if (/\.(lua|sql)$/.test(path)) cpSync(`${root}/src/${path}`, `${root}/dist/${path}`);
}
