import { requireBranch } from './branches.ts';
import type { Change } from './change.ts';
import type { Transaction } from './database.ts';
import { Problem } from './problem.ts';
import { type Field, fields, id } from './validation.ts';

/** A correction of the books to what is on the shelves. */
export interface Adjustment {
  branchId: string;
  productId: string;
  /** Units found (positive) or lost (negative). */
  change: number;
  reason: string;
}

export const units: Field = {
  type: 'integer',
  minimum: 1,
  maximum: 100_000,
  description: 'a whole number from 1 to 100000',
  examples: [5],
};

export const adjustmentBody: object = fields({
  branchId: id('branch', 'B123'),
  productId: id('product', 'MILK'),
  change: {
    type: 'integer',
    minimum: -100_000,
    maximum: 100_000,
    not: { const: 0 },
    description: 'a whole number from -100000 to 100000 other than 0',
    examples: [-3],
  },
  reason: {
    type: 'string',
    enum: ['count', 'damage', 'theft', 'waste'],
    description: 'one of count, damage, theft and waste',
    examples: ['count'],
  },
});

/** Books units found or lost. */
export async function adjustInventory(
  tx: Transaction,
  orgId: string,
  adjustment: Adjustment,
): Promise<Change<Adjustment & { id: number; onHand: number }>> {
  const { branchId, productId, change, reason } = adjustment;
  await requireBranch(tx, orgId, branchId, 'branchId');
  const onHand = await moveStock(tx, branchId, productId, change, 'change');
  const [row] = await tx<[{ id: number }]>`
    insert into inventory_adjustment (branch_id, product_id, change, reason)
    values (${branchId}, ${productId}, ${change}, ${reason}) returning id`;
  return {
    data: { id: row.id, ...adjustment, onHand },
    event: { type: 'inventory.adjusted', orgId, branchId, productId },
  };
}

/**
 * Adds `change` units to what a branch has of a product, and answers how many there are now.
 *
 * @param field the field of the request that said how many
 * @throws Problem 404 when the branch does not carry the product, 409 when it has fewer than are taken
 */
export async function moveStock(
  tx: Transaction,
  branchId: string,
  productId: string,
  change: number,
  field: string,
): Promise<number> {
  const [stock] = await tx<{ onHand: number }[]>`
    select on_hand as "onHand" from inventory where branch_id = ${branchId} and product_id = ${productId} for update`;
  if (!stock) throw await unknownProduct(tx, branchId, productId);
  const onHand = stock.onHand + change;
  if (onHand < 0) {
    const message = `Branch ${branchId} has ${stock.onHand} units of ${productId}, which is fewer than ${-change}.`;
    throw new Problem(409, 'conflict', message, { field, cure: `Take at most ${stock.onHand}.` });
  }
  await tx`update inventory set on_hand = ${onHand} where branch_id = ${branchId} and product_id = ${productId}`;
  return onHand;
}

async function unknownProduct(tx: Transaction, branchId: string, productId: string): Promise<Problem> {
  const carried = await tx<{ id: string }[]>`
    select product_id as id from inventory where branch_id = ${branchId} order by product_id`;
  const message = `Branch ${branchId} has no product ${productId}.`;
  const cure = `It has: ${carried.map((product) => product.id).join(', ')}.`;
  return new Problem(404, 'not_found', message, { field: 'productId', cure });
}
