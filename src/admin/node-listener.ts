import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Peer } from './caller.ts';

/** A function from a `Request` to a `Response`. */
export type Respond = (request: Request, peer: Peer) => Promise<Response>;

/** Methods of HTTP that a Web request cannot have. */
const UNKNOWN: readonly string[] = ['CONNECT', 'TRACE', 'TRACK'];
const FINAL = { connection: 'close' };

/** What `http.createServer` takes, and `use` of Express, Connect and NestJS. */
export type NodeListener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/**
 * Serves Web requests by Node's HTTP.
 *
 * @param base what paths begin with here, and is taken off; a framework's router may have done that already
 */
export function nodeListener(respond: Respond, base = ''): NodeListener {
  return (incoming, outgoing) => {
    const gone = new AbortController();
    outgoing.once('close', () => gone.abort());
    const answer = async (): Promise<Response> => {
      if (UNKNOWN.includes(incoming.method ?? '')) return new Response(null, { status: 501, headers: FINAL });
      return respond(requestOf(incoming, base, gone.signal), { address: incoming.socket.remoteAddress });
    };
    answer()
      .then((response) => send(response, outgoing))
      // Who asked has gone, or takes no more.
      .catch(() => void outgoing.destroy());
  };
}

function requestOf(incoming: IncomingMessage, base: string, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers))
    for (const one of [value ?? []].flat()) if (!name.startsWith(':')) headers.append(name, one);
  const { method = 'GET' } = incoming;
  const body = method === 'GET' || method === 'HEAD' ? null : bodyOf(incoming);
  const init = { method, headers, signal, body, duplex: 'half' };
  // The path alone counts: who asks cannot have another host's read from it.
  return new Request(`http://localhost${pathOf(incoming.url ?? '/', base)}`, init as RequestInit);
}

function pathOf(url: string, base: string): string {
  const path = url.startsWith(`${base}/`) || url.startsWith(`${base}?`) || url === base ? url.slice(base.length) : url;
  return path.startsWith('/') ? path : `/${path}`;
}

/** Without the stream's own conversion, which destroys the connection where the body is given up: the answer has to get out. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> | string {
  // What a framework has parsed already is not there to be read any more.
  const { body } = incoming as { body?: unknown };
  if (incoming.readableDidRead && body !== undefined) return JSON.stringify(body);
  let givenUp = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      incoming.on('data', (chunk: Uint8Array) => {
        if (givenUp) return;
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.once('end', () => !givenUp && controller.close());
      incoming.once('error', (error) => controller.error(error));
      incoming.pause();
    },
    pull: () => void incoming.resume(),
    cancel() {
      givenUp = true;
      incoming.pause();
    },
  });
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  // A stream may have nothing to say for long.
  outgoing.flushHeaders();
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  const leave = (): void => void reader?.cancel().catch(() => {});
  outgoing.once('close', leave);
  if (outgoing.destroyed) leave();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || value === undefined) break;
    if (!outgoing.write(value)) await room(outgoing);
  }
  outgoing.end();
}

/** Resolves when more may be written, or nothing ever will be. */
function room(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      outgoing.off('drain', go).off('close', go);
      resolve();
    };
    outgoing.on('drain', go).on('close', go);
    if (outgoing.destroyed) go();
  });
}
