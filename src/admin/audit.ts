import { type Logger } from '../index.ts';
import type { Role } from './role.ts';

/** A change by hand, or one that was refused. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of a token, or as the access function has named them. */
  readonly who: string;
  readonly role: Role;
  readonly address: string | undefined;
  /** Such as `POST /api/system/cache/invalidate`. */
  readonly action: string;
  /** `'denied'`: their role does not allow it. */
  readonly outcome: 'done' | 'denied' | 'failed';
  /** What was asked for, as far as it was understood. */
  readonly request: unknown;
  /** What came of it, such as the receipt of an invalidation; of what failed, the code. */
  readonly result: unknown;
}

/** Sees to it that no change by hand is without a trace. */
export class Audit {
  readonly #logger: Logger | undefined;
  readonly #told: ((entry: AuditEntry) => void) | undefined;

  constructor(logger: Logger | undefined, told: ((entry: AuditEntry) => void) | undefined) {
    this.#logger = logger;
    this.#told = told;
  }

  record(entry: AuditEntry): void {
    const { who, action, outcome } = entry;
    const level = outcome === 'done' ? 'info' : 'warn';
    this.#logger?.[level]({ event: 'cache_admin', ...entry }, `cache_admin: ${who} ${action} ${outcome}`);
    try {
      this.#told?.(entry);
    } catch (error) {
      this.#logger?.error({ event: 'cache_admin', error }, 'cache_admin: onAudit has thrown');
    }
  }
}
