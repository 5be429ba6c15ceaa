import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { configFile, loadConfig } from './config-file.ts';
import { relayDatabase } from './relay-database.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let made = 0;
function written(text: string, ending = 'ts'): string {
  const file = join(folder, `${++made}.config.${ending}`);
  writeFileSync(file, text);
  return file;
}

it('loads TypeScript, and calls what makes a configuration', async () => {
  const file = written('export default async () => ({ relay: { name: "shop" as string } });');
  expect(await loadConfig(file)).toEqual({ relay: { name: 'shop' } });
});

it.each([
  ['export default { realy: {} };', /no part "realy"\. Known are relay, serve/],
  ['export default 7;', /exports no configuration\. Write: export default defineConfig/],
  ['throw new Error("no secret")', /cannot be loaded: no secret/],
  ['const x = ;', /cannot be loaded/],
])('refuses %j', async (text, message) => {
  await expect(loadConfig(written(text))).rejects.toThrow(message);
});

it('names the file that is not there', () => {
  expect(() => configFile('gone.ts')).toThrow(/no file gone\.ts/);
});

it('takes the database that is named, else the configured one', async () => {
  const config = written('export default { relay: { database: "postgresql://a", schema: "s" } };');
  expect(await relayDatabase({ config }, true)).toMatchObject({ database: 'postgresql://a', schema: 's' });
  expect(await relayDatabase({ config, schema: 't' }, true)).toMatchObject({ schema: 't' });
  expect(await relayDatabase({ config, url: 'postgresql://b' }, true)).toMatchObject({
    database: 'postgresql://b',
    schema: 's',
  });
  expect(await relayDatabase({ url: 'postgresql://b' }, true)).toMatchObject({ schema: 'tidemark' });
});
