import { expect, it } from 'vitest';
import { type StreamEvent, streamEvents } from './stream-event.ts';

const encoder = new TextEncoder();

function body(...chunks: string[]): { stream: ReadableStream<Uint8Array>; cancelled: () => boolean } {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
    },
    cancel: () => void (cancelled = true),
  });
  return { stream, cancelled: () => cancelled };
}

it('puts together what came in parts, and passes over heartbeats', async () => {
  const { stream, cancelled } = body(
    'event: applied\nda',
    'ta: {"a":1}\n',
    '\n:\n\ndata: x\ndata: y\n\nevent: n',
    'o\n\n',
  );
  const ended = new AbortController();
  const events: StreamEvent[] = [];
  for await (const event of streamEvents(stream, ended.signal)) {
    events.push(event);
    if (events.length === 2) ended.abort();
  }
  expect(events).toEqual([
    { event: 'applied', data: '{"a":1}' },
    { event: 'message', data: 'x\ny' },
  ]);
  expect(cancelled()).toBe(true);
});

it('ends the stream when its reader has heard enough', async () => {
  const { stream, cancelled } = body('data: 1\n\ndata: 2\n\n');
  for await (const { data } of streamEvents(stream, new AbortController().signal)) {
    expect(data).toBe('1');
    break;
  }
  expect(cancelled()).toBe(true);
});
