import { requireBranch } from './branches.ts';
import type { Change } from './change.ts';
import type { Transaction } from './database.ts';
import { moveStock, units } from './inventory.ts';
import { Problem } from './problem.ts';
import { fields, id } from './validation.ts';

/** Stock moved from one branch to another of the same organisation. */
export interface Transfer {
  fromBranchId: string;
  toBranchId: string;
  productId: string;
  units: number;
}

export const transferBody: object = fields({
  fromBranchId: id('branch', 'B123'),
  toBranchId: id('branch', 'B124'),
  productId: id('product', 'CUPS'),
  units,
});

/** Moves units between two branches. */
export async function transferStock(
  tx: Transaction,
  orgId: string,
  transfer: Transfer,
): Promise<Change<Transfer & { id: number }>> {
  const { fromBranchId, toBranchId, productId } = transfer;
  if (fromBranchId === toBranchId) {
    const message = `toBranchId must be another branch than fromBranchId, not ${toBranchId} again.`;
    throw new Problem(400, 'bad_request', message, {
      field: 'toBranchId',
      cure: 'Name the branch that gets the units.',
    });
  }
  await requireBranch(tx, orgId, fromBranchId, 'fromBranchId');
  await requireBranch(tx, orgId, toBranchId, 'toBranchId');
  // Lower id first: of two transfers in opposite directions, neither then holds a row that the other waits for.
  const moves = [
    { branchId: fromBranchId, change: -transfer.units },
    { branchId: toBranchId, change: transfer.units },
  ].sort((a, b) => (a.branchId < b.branchId ? -1 : 1));
  for (const { branchId, change } of moves) await moveStock(tx, branchId, productId, change, 'units');
  const [row] = await tx<[{ id: number }]>`
    insert into transfer (from_branch_id, to_branch_id, product_id, units)
    values (${fromBranchId}, ${toBranchId}, ${productId}, ${transfer.units}) returning id`;
  return { data: { id: row.id, ...transfer }, event: { type: 'transfer.changed', orgId, transferId: row.id } };
}
