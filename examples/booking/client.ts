import { TOKEN } from './routes.ts';
import type { Timeline } from './timeline.ts';

export interface Answer<T> {
  readonly status: number;
  readonly data: T;
  readonly from: string;
  readonly problem: { readonly type: string; readonly detail: string };
}

export interface Day {
  readonly starts: readonly string[];
  readonly calendar: { readonly state: string };
}

/** Somebody's browser, which keeps the token of what it has written, and sends it along. */
export class Client {
  readonly #url: string;
  readonly #timeline: Timeline;
  #token: string | undefined;

  constructor(url: string, timeline: Timeline) {
    this.#url = url;
    this.#timeline = timeline;
  }

  /** When somebody of the staff can be booked for a haircut. */
  async day(staffId: string, day: string): Promise<Answer<Day>> {
    const answer = await this.#send<Day>('GET', `/staff/${staffId}/availability?day=${day}&service=cut`);
    const { starts, calendar } = answer.data;
    const first = starts[0]?.slice(11, 16) ?? 'none';
    this.#tell(`${day}: ${starts.length} times from ${first} on, calendar ${calendar.state}, from ${answer.from}`);
    return answer;
  }

  async book(staffId: string, start: string, customerId: string): Promise<Answer<{ id: string }>> {
    const body = { staffId, serviceId: 'cut', customerId, start };
    const answer = await this.#send<{ id: string }>('POST', '/appointments', body);
    this.#told(`books ${start.slice(0, 16)}`, answer);
    return answer;
  }

  async move(id: string, start: string): Promise<Answer<object>> {
    const answer = await this.#send<object>('POST', `/appointments/${id}/reschedule`, { start });
    this.#told(`moves ${id} to ${start.slice(0, 16)}`, answer);
    return answer;
  }

  async cancel(id: string): Promise<Answer<object>> {
    const answer = await this.#send<object>('DELETE', `/appointments/${id}`);
    this.#told(`cancels ${id}`, answer);
    return answer;
  }

  async appointment(id: string): Promise<{ readonly state: string; readonly claims: readonly { start: string }[] }> {
    type Found = { readonly state: string; readonly claims: readonly { start: string }[] };
    return (await this.#send<Found>('GET', `/appointments/${id}`)).data;
  }

  #told(what: string, { status, problem }: Answer<unknown>): void {
    this.#tell(`${what}: ${status}${status < 300 ? '' : ` ${problem.type}`}`);
  }

  #tell(what: string): void {
    this.#timeline.tell('client', what);
  }

  async #send<T>(method: string, path: string, body?: object): Promise<Answer<T>> {
    const response = await fetch(this.#url + path, {
      method,
      headers: {
        ...(this.#token === undefined ? {} : { [TOKEN]: this.#token }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    this.#token = response.headers.get(TOKEN) ?? this.#token;
    const received = (await response.json()) as Answer<T>;
    return { ...received, problem: received as unknown as Answer<T>['problem'], status: response.status };
  }
}
