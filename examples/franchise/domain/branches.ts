import type { Transaction } from './database.ts';
import { Problem } from './problem.ts';

/**
 * Checks that a branch is the caller's.
 *
 * @param field the field of the request that named it
 * @throws Problem 404 for a branch that does not exist, 403 for one of another organisation
 */
export async function requireBranch(tx: Transaction, orgId: string, branchId: string, field: string): Promise<void> {
  const [branch] = await tx<{ owner: string }[]>`select organisation_id as owner from branch where id = ${branchId}`;
  if (!branch) {
    const cure = 'GET /franchise/rankings lists your branches.';
    throw new Problem(404, 'not_found', `There is no branch ${branchId}.`, { field, cure });
  }
  requireOwner(orgId, branch.owner, field, `Branch ${branchId}`);
}

/** @throws Problem 403 when `owner` is another organisation than the caller's */
export function requireOwner(orgId: string, owner: string, field: string, what: string): void {
  if (owner === orgId) return;
  const cure = 'Use a token of the organisation that owns it.';
  throw new Problem(403, 'forbidden', `${what} belongs to another organisation than ${orgId}.`, { field, cure });
}
