import type { Clock } from '../coherence/clock.ts';
import type { AdminSettings } from './admin-options.ts';
import type { Caller, Peer } from './caller.ts';
import { RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';

/** Decides who gets in, before anything is said about what there is. */
export class Gate {
  readonly #settings: AdminSettings;
  readonly #requests: RateLimit;
  readonly #failures: RateLimit;

  constructor(settings: AdminSettings, clock: Clock) {
    this.#settings = settings;
    this.#requests = new RateLimit(settings.requestsPerMinute, clock);
    this.#failures = new RateLimit(settings.failuresPerMinute, clock);
  }

  /**
   * Who asks. Whoever is known is let in whatever others at the same address have failed with: else a stranger behind the same proxy
   * could keep everybody out. (So the limit for failures does not stop somebody who guesses; the length of tokens does.)
   *
   * @throws Refusal 401, 429
   */
  async admit(request: Request, peer: Peer): Promise<Caller> {
    const caller = await this.recognise(request, peer);
    if (caller === undefined) {
      check(this.#failures.take(peer.address ?? ''), 'Too many requests that nobody was admitted for.');
      throw new Refusal(401, 'UNAUTHENTICATED', 'Say who you are: Authorization: Bearer <token>.', {
        'www-authenticate': 'Bearer realm="tidemark"',
      });
    }
    check(this.#requests.take(caller.name), 'Too many requests.');
    return caller;
  }

  /** Who asks, if that can be told. */
  recognise(request: Request, peer: Peer): Promise<Caller | undefined> {
    return this.#settings.authenticate(request, peer);
  }
}

function check(seconds: number, problem: string): void {
  if (seconds > 0)
    throw new Refusal(429, 'TOO_MANY_REQUESTS', `${problem} Ask again in ${seconds} s.`, {
      'retry-after': String(seconds),
    });
}
