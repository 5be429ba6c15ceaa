import { describe, expect, it } from 'vitest';
import { FakeClock, promisesSettled } from '../testing/fake-clock.ts';
import type { Connection, Reply } from './connection.ts';
import { Link } from './link.ts';

/** A connection whose other end is the test. */
class Line implements Connection {
  readonly sent: { readonly command: unknown; readonly answer: (reply: Reply | Error) => void }[] = [];
  closed = false;
  #listener: (cause?: unknown) => void = () => {};

  send([command]: readonly (string | Uint8Array)[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const answer = (reply: Reply | Error): void => (reply instanceof Error ? reject(reply) : resolve(reply));
      this.sent.push({ command, answer });
    });
  }

  onClose(listener: (cause?: unknown) => void): void {
    this.#listener = listener;
  }

  close(cause?: unknown): void {
    if (this.closed) return;
    this.closed = true;
    for (const { answer } of this.sent) answer(new Error('closed'));
    this.#listener(cause);
  }
}

interface Attempt {
  accept(): Line;
  refuse(): void;
}

function setUp(): { link: Link; clock: FakeClock; attempts: Attempt[]; ping: () => Promise<Reply> } {
  const clock = new FakeClock();
  const attempts: Attempt[] = [];
  const open = (): Promise<Connection> =>
    new Promise((resolve, reject) => {
      attempts.push({
        accept: () => {
          const line = new Line();
          resolve(line);
          return line;
        },
        refuse: () => reject(new Error('refused')),
      });
    });
  const link = new Link({ open, clock, random: () => 0.5, timeout: 200 });
  return { link, clock, attempts, ping: () => link.run((connection) => connection.send(['PING'])) };
}

const unavailable = expect.objectContaining({ code: 'UNAVAILABLE' }) as Error;

describe('Link', () => {
  it('waits for the first attempt, and sends when it is there', async () => {
    const { link, attempts, ping } = setUp();
    const answer = ping();
    await promisesSettled();
    const line = attempts[0]?.accept();
    await promisesSettled();
    line?.sent[0]?.answer('PONG');
    expect(await answer).toBe('PONG');
    link.close();
  });

  it('tries at once, out of a pause, when another connection shows that the server is there', async () => {
    const { link, clock, attempts, ping } = setUp();
    link.hurry(); // the first attempt is under way: nothing to do
    attempts[0]?.refuse();
    await promisesSettled();
    expect(attempts).toHaveLength(1);
    link.hurry();
    link.hurry();
    expect(attempts).toHaveLength(2);
    const line = attempts[1]?.accept();
    await promisesSettled();
    const answer = ping();
    line?.sent[0]?.answer('PONG');
    expect(await answer).toBe('PONG');
    await clock.advance(10_000);
    expect(attempts).toHaveLength(2);
    link.close();
    link.hurry();
    expect(attempts).toHaveLength(2);
  });

  it('waits for the first attempt no longer than its deadline, and fails at once after it failed', async () => {
    const { link, clock, attempts, ping } = setUp();
    const first = ping();
    first.catch(() => {});
    await clock.advance(200);
    await expect(first).rejects.toEqual(unavailable);
    attempts[0]?.refuse();
    await promisesSettled();
    await expect(ping()).rejects.toEqual(unavailable); // and no time passes
    link.close();
  });

  it('gives a connection up that does not answer in time, and fails at once until there is another', async () => {
    const { link, clock, attempts, ping } = setUp();
    const line = attempts[0]?.accept();
    await promisesSettled();
    const answer = ping();
    answer.catch(() => {});
    await clock.advance(200);
    await expect(answer).rejects.toEqual(unavailable);
    expect(line?.closed).toBe(true);
    await expect(ping()).rejects.toEqual(unavailable);
    await clock.advance(1);
    const second = attempts[1]?.accept();
    await promisesSettled();
    const again = ping();
    second?.sent[0]?.answer('PONG');
    expect(await again).toBe('PONG');
    link.close();
  });

  it('tries again with growing pauses, up to a second', async () => {
    const { link, clock, attempts } = setUp();
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      const before = clock.monotonic();
      attempts.at(-1)?.refuse();
      await promisesSettled();
      const known = attempts.length;
      while (attempts.length === known) await clock.advance(10);
      pauses.push(clock.monotonic() - before);
    }
    expect(pauses).toEqual([40, 80, 160, 320, 640, 1000, 1000, 1000, 1000]);
    link.close();
  });

  it.each(['READONLY You can not write', 'MOVED 3999 127.0.0.1:6381', 'UNBLOCKED force unblock'])(
    'leaves a server that is not the one to ask: %s',
    async (message) => {
      const { link, attempts, ping } = setUp();
      const line = attempts[0]?.accept();
      await promisesSettled();
      const answer = ping();
      line?.sent[0]?.answer(new Error(message));
      await expect(answer).rejects.toThrow(message);
      expect(line?.closed).toBe(true);
      link.close();
    },
  );

  it('keeps a connection whose server refuses a command', async () => {
    const { link, attempts, ping } = setUp();
    const line = attempts[0]?.accept();
    await promisesSettled();
    const answer = ping();
    line?.sent[0]?.answer(new Error('OOM command not allowed'));
    await expect(answer).rejects.toThrow('OOM');
    expect(link.connection).toBe(line);
    link.close();
  });

  it('closes what connects after it was closed, and tries no more', async () => {
    const { link, clock, attempts } = setUp();
    link.close();
    const line = attempts[0]?.accept();
    await promisesSettled();
    expect(line?.closed).toBe(true);
    await clock.advance(5_000);
    expect(attempts).toHaveLength(1);
  });
});
