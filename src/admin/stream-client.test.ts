import { expect, it } from 'vitest';
import { frame, StreamClient } from './stream-client.ts';

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

function client(): { it: StreamClient; read: () => Promise<string>; left: StreamClient[]; time: { now: number } } {
  const left: StreamClient[] = [];
  const time = { now: 0 };
  const it = new StreamClient(
    () => time.now,
    (gone) => left.push(gone),
  );
  const reader = it.body.getReader();
  return { it, read: async () => text((await reader.read()).value), left, time };
}

it('hands over in order, to one who waits and to one who comes later', async () => {
  const { it: stream, read } = client();
  const first = read();
  stream.offer(frame('a', { n: 1 }));
  stream.offer(frame('a', { n: 2 }));
  expect(await first).toBe('event: a\ndata: {"n":1}\n\n');
  expect(await read()).toBe('event: a\ndata: {"n":2}\n\n');
  const third = read();
  stream.offer(frame('a', { text: 'two\nlines', id: 2n, far: Infinity }));
  expect(await third).toBe('event: a\ndata: {"text":"two\\nlines","id":"2","far":null}\n\n');
});

it('drops what a slow client has no room for, and says how much in its place', async () => {
  const { it: stream, read } = client();
  for (let n = 0; n < 1_000; n++) stream.offer(frame('a', n));
  for (let n = 0; n < 256; n++) expect(await read()).toBe(`event: a\ndata: ${n}\n\n`);
  expect(await read()).toBe('event: dropped\ndata: {"dropped":744}\n\n');
  const next = read();
  stream.offer(frame('a', 'later'));
  expect(await next).toBe('event: a\ndata: "later"\n\n');
});

it('tells what was dropped before what comes after it', async () => {
  const { it: stream, read } = client();
  for (let n = 0; n < 300; n++) stream.offer(frame('a', n));
  for (let n = 0; n < 10; n++) await read();
  stream.offer(frame('a', 'later'));
  for (let n = 10; n < 256; n++) expect(await read()).toBe(`event: a\ndata: ${n}\n\n`);
  expect(await read()).toBe('event: dropped\ndata: {"dropped":44}\n\n');
  expect(await read()).toBe('event: a\ndata: "later"\n\n');
});

it('keeps no more than 256 KiB for one client', async () => {
  const { it: stream, read } = client();
  const large = frame('a', 'x'.repeat(100_000));
  for (let n = 0; n < 10; n++) stream.offer(large);
  for (let n = 0; n < 2; n++) expect((await read()).length).toBe(large.length);
  expect(await read()).toContain('{"dropped":8}');
});

it('beats only where nothing waits', async () => {
  const { it: stream, read } = client();
  stream.offer(frame('a', 1));
  stream.beat();
  await read();
  stream.beat();
  expect(await read()).toBe(':\n\n');
});

it('is stuck once what waits was not taken for so long', async () => {
  const { it: stream, read, time } = client();
  const first = read();
  time.now = 100_000; // Nothing has happened: whoever waits is not stuck.
  stream.offer(frame('a', 1));
  stream.offer(frame('a', 2));
  expect(stream.isStuckFor(60_000)).toBe(false);
  await first;
  time.now = 160_000;
  expect(stream.isStuckFor(60_000)).toBe(true);
  await read();
  expect(stream.isStuckFor(60_000)).toBe(false);
});

it('ends, and hears of a client that leaves', async () => {
  const one = client();
  const waiting = one.read();
  one.it.end();
  one.it.offer(frame('a', 1));
  expect(await waiting).toBe('');
  expect(one.left).toEqual([]);
  const { it: other, left } = client();
  // Locked by its reader: as when a connection is closed.
  const third = new StreamClient(
    () => 0,
    (gone) => left.push(gone),
  );
  await third.body.cancel();
  third.offer(frame('a', 1));
  third.end();
  expect(left).toEqual([third]);
  other.end();
});
