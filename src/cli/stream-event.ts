/** One event of a server-sent stream. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** Server-sent events, see the HTML standard: lines of `event:` and `data:`, parted by empty ones. Comments are heartbeats. Ends with `ended`. */
export async function* streamEvents(body: ReadableStream<Uint8Array>, ended: AbortSignal): AsyncGenerator<StreamEvent> {
  const reader = body.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  ended.addEventListener('abort', stop);
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let it = await reader.read(); !it.done; it = await reader.read()) {
      const blocks = `${rest}${decoder.decode(it.value, { stream: true })}`.split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      yield* blocks.flatMap(eventOf);
    }
  } finally {
    // Also where whoever listens has heard enough.
    ended.removeEventListener('abort', stop);
    stop();
  }
}

function eventOf(block: string): StreamEvent[] {
  const data: string[] = [];
  let event = 'message';
  for (const line of block.split(/\r?\n/)) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (field === 'event') event = value;
    if (field === 'data') data.push(value);
  }
  return data.length === 0 ? [] : [{ event, data: data.join('\n') }];
}
