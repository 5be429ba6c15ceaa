import { type Happening, now } from './happening.ts';
import { POSITION } from './position.ts';
import type { Answer } from './remote.ts';

/** What came back: the data, the tier it came from where it was read, and the position where something was written. */
export interface Response<T> extends Partial<Answer<unknown>> {
  readonly data: T;
  readonly invalidation?: 'applied' | 'appended' | 'queued';
  readonly position: string | undefined;
}

/** Somebody's browser. What a real one does with the position: keep it, and send it along with the next requests. */
export class Client {
  readonly #gateway: string;
  readonly #tell: (happening: Happening) => void;

  constructor(gateway: string, tell: (happening: Happening) => void) {
    this.#gateway = gateway;
    this.#tell = tell;
  }

  get<T>(path: string, position?: string): Promise<Response<T>> {
    return this.#send<T>('GET', path, undefined, position);
  }

  rename(id: string, name: string): Promise<Response<{ name: string }>> {
    return this.#send('PATCH', `/users/${id}`, { name });
  }

  publish(authorId: string, text: string): Promise<Response<{ text: string }>> {
    return this.#send('POST', `/users/${authorId}/posts`, { text });
  }

  async #send<T>(method: string, path: string, body?: object, position?: string): Promise<Response<T>> {
    const answer = await fetch(`${this.#gateway}${path}`, {
      method,
      headers: {
        ...(position === undefined ? {} : { [POSITION]: position }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    const received = (await answer.json()) as Omit<Response<T>, 'position'>;
    const asked = position === undefined ? '' : ', with the position';
    this.#tell({ at: now(), where: 'client', what: `${method} ${path}${asked}: ${inWords(received)}` });
    return { ...received, position: answer.headers.get(POSITION) ?? undefined };
  }
}

/** `42: Ada, from memory`, or the lines of a page. */
function inWords({ data, from, invalidation }: Omit<Response<unknown>, 'position'>): string {
  const rows = [data].flat().map((row) => Object.values(row as object).join(': '));
  return `${rows.join(' | ')}, ${from === undefined ? String(invalidation) : `from ${from}`}`;
}
