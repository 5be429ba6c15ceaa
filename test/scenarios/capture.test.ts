import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Relay } from '../../src/postgres/index.ts';
import { capture, type Stage, setStage, setupCapture, users } from './capture-stage.ts';

let stage: Stage;
let relay: Relay;
const tables = capture({ tables: users });

beforeAll(async () => {
  stage = await setStage();
}, 60_000);
afterAll(() => stage.end());

describe('rows', () => {
  beforeAll(async () => {
    await stage.pool.query('ALTER TABLE users REPLICA IDENTITY FULL');
    console.log(await setupCapture(stage.server.url, { capture: tables }));
    relay = stage.relay();
    await stage.streaming(relay);
  }, 60_000);

  it('inserts', async () => {
    await stage.keep('user:1', 'org:7', 'org:8', 'other');
    await stage.pool.query("INSERT INTO users VALUES (1, 7, 'Ann')");
    await stage.gone('user:1', 'org:7');
    expect(stage.holds('org:8', 'other')).toEqual([true, true]);
    console.log(stage.events, relay.status());
  });
});
