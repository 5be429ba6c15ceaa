import type { Role } from './role.ts';

/** Who asks, as the access rule knows them. */
export interface Caller {
  readonly role: Role;
  /** For the audit: the name of a token or a person, never a secret. */
  readonly name: string;
}

/** What is known of a request besides itself. */
export interface Peer {
  /** The address that it came from. */
  readonly address?: string | undefined;
}
