import type { Receipt } from '../coherence/receipt.ts';
import { formatToken, QUEUED_TOKEN, readToken, type Token } from '../coherence/position.ts';
import { type Guard, NO_GUARD_REMOVED, type RemovedGuards } from '../coherence/guards.ts';

/**
 * One client's request, or one message of a queue: reads inside are never older than what the client has seen written, nor
 * than what was invalidated inside. Made by `cache.openSession(token)`.
 */
export interface Session {
  /** Runs `work` inside: it, and all that it awaits. May be called again, where a framework has lost its way in between. */
  run<T>(work: () => T): T;
  /**
   * What the client is to send with its next request: what came in, and every invalidation made inside so far. One that is not
   * over yet counts as queued. `undefined` where there is nothing to remember. One text without spaces, safe in a header.
   */
  readonly token: Token | undefined;
}

/** A token as a reader is held to it. `epoch` is empty where it has no position. */
export interface Claim {
  readonly token: Token;
  readonly epoch: string;
  readonly number: number;
}

export interface SessionParts {
  /** Runs `work` where this session is found by the calls inside. */
  readonly enter: <T>(session: ClientSession, work: () => T) => T;
  /** Makes a token that stands for everything that was written before. */
  readonly makeToken: () => Token;
  readonly removed?: RemovedGuards;
}

/** Most claims of a session; a client that has lived through more epochs is told one token for all of them. */
const MOST_CLAIMS = 4;

/** Longest text that is looked at: what this library makes is shorter. */
const LONGEST = 512;

/**
 * The claims of one client. Positions of one epoch are one claim, the largest. Those of several epochs stand beside each
 * other: which epoch came first is not written on them. A token without a position that was made here stands for all that came
 * before it: whoever loads after it first came has read after all of that.
 */
export class ClientSession implements Session {
  readonly #parts: SessionParts;
  readonly #removed: RemovedGuards;
  #claims: readonly Claim[] = [];
  /** Invalidations that are under way. */
  #writing = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#removed = parts.removed ?? NO_GUARD_REMOVED;
  }

  get claims(): readonly Claim[] {
    return this.#claims;
  }

  get token(): Token | undefined {
    if (this.#writing > 0 && this.#has('sessionPending')) return this.#parts.makeToken();
    return this.#claims.length === 0 ? undefined : this.#claims.map((it) => it.token).join(',');
  }

  run<T>(work: () => T): T {
    return this.#parts.enter(this, work);
  }

  /** Takes what a client sent. It may be anything: what cannot be read is taken for a write that nobody here has heard of. */
  take(sent: Token): void {
    const given: unknown = sent;
    const parts = typeof given === 'string' && given.length <= LONGEST ? given.split(',') : [];
    const claims = parts.slice(0, MOST_CLAIMS + 1).map((part) => claimOf(part.trim()));
    if (claims.length === 0 || claims.includes(undefined)) this.#standForAll();
    else for (const claim of claims as readonly Claim[]) this.#add(claim);
  }

  /** Remembers an invalidation made inside, once its receipt is there, and before whoever awaits it goes on. */
  follow(receipt: Promise<Receipt>): Promise<Receipt> {
    if (!this.#has('sessionWrites')) return receipt;
    this.#writing++;
    const ended = (): void => void this.#writing--;
    const follow = async (): Promise<Receipt> => {
      try {
        const given = await receipt;
        const claim = claimOf(given.token);
        if (claim === undefined || claim.epoch === '') this.#standForAll();
        else this.#add(claim);
        return given;
      } finally {
        ended();
      }
    };
    return follow();
  }

  #add(claim: Claim): void {
    const same = this.#claims.find((it) =>
      claim.epoch === '' ? it.token === claim.token : this.#comparable(it, claim),
    );
    if (same !== undefined && (claim.epoch === '' || same.number >= claim.number)) return;
    this.#claims = [...this.#claims.filter((it) => it !== same), claim];
    if (this.#claims.length > MOST_CLAIMS) this.#standForAll();
  }

  #comparable(a: Claim, b: Claim): boolean {
    return a.epoch !== '' && (a.epoch === b.epoch || !this.#has('sessionEpochs'));
  }

  /** One claim for all: a token made now. That of a receipt will not do, it may be older than other claims, and known elsewhere. */
  #standForAll(): void {
    if (this.#has('sessionQueued')) this.#claims = [{ token: this.#parts.makeToken(), epoch: '', number: 0 }];
  }

  #has(guard: Guard): boolean {
    return !this.#removed.has(guard);
  }
}

/** `undefined` for what is no token, or stands for a write without saying which. */
function claimOf(token: Token): Claim | undefined {
  const position = readToken(token);
  if (position === 'unreadable' || token === QUEUED_TOKEN) return undefined;
  return position === undefined ? { token, epoch: '', number: 0 } : { token: formatToken(position), ...position };
}
