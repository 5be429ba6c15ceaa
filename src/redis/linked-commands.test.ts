import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import type { Argument, Connection, Reply } from './connection.ts';
import { Link } from './link.ts';
import { LinkedCommands } from './linked-commands.ts';

/** Commands over a connection that answers as it is told to. */
function setUp(answer: (args: readonly Argument[]) => Promise<Reply>) {
  const clock = new FakeClock();
  let closed = 0;
  const connection: Connection = { send: answer, closed: false, onClose: () => {}, close: () => void closed++ };
  const link = new Link({ open: () => Promise.resolve(connection), clock, random: () => 0.5, timeout: 200 });
  return { clock, commands: new LinkedCommands(link), closed: () => closed };
}

const refused = new Error('OOM command not allowed');

describe('commands that are sent as one piece of work', () => {
  it('are answered one by one: an error of one is not that of the others', async () => {
    const { commands } = setUp(([name]) => (name === 'b' ? Promise.reject(refused) : Promise.resolve('OK')));
    expect(await commands.sendAll([['a'], ['b'], ['c']])).toEqual([undefined, refused, undefined]);
  });

  it('reject where all of them have failed', async () => {
    const { commands } = setUp(() => Promise.reject(refused));
    await expect(commands.sendAll([['a'], ['b']])).rejects.toBe(refused);
  });

  it('give the connection up where the server is not the one to ask any more', async () => {
    const { commands, closed } = setUp(() => Promise.reject(new Error('READONLY You cannot write against a replica.')));
    await expect(commands.sendAll([['a'], ['b']])).rejects.toThrow('READONLY');
    expect(closed()).toBe(1);
  });

  it('have one deadline together', async () => {
    const { commands, clock, closed } = setUp(([name]) =>
      name === 'a' ? Promise.resolve('OK') : new Promise(() => {}),
    );
    const sent = commands.sendAll([['a'], ['b']]);
    sent.catch(() => {});
    await clock.advance(200);
    await expect(sent).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(closed()).toBe(1);
  });

  it('may be none', async () => {
    const { commands } = setUp(() => Promise.resolve('OK'));
    expect(await commands.sendAll([])).toEqual([]);
  });
});
