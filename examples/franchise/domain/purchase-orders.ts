import { requireOwner } from './branches.ts';
import type { Change } from './change.ts';
import type { Transaction } from './database.ts';
import { Problem } from './problem.ts';
import { fields, id } from './validation.ts';

/** A purchase order that has arrived, and what is now on the branch's shelves because of it. */
export interface Receipt {
  purchaseOrderId: string;
  branchId: string;
  receivedAt: string;
  lines: { productId: string; units: number; onHand: number }[];
}

export const purchaseOrderParams: object = fields({ id: id('purchase order', 'PO-123-2') });

/** Takes all lines of a purchase order into the branch's stock. */
export async function receivePurchaseOrder(tx: Transaction, orgId: string, orderId: string): Promise<Change<Receipt>> {
  const branchId = await lockOpenOrder(tx, orgId, orderId);
  // The products in one order for all transactions, so that two of them never wait for each other's rows.
  const lines = await tx<Receipt['lines']>`
    with line as (
      select product_id, units from purchase_order_line where purchase_order_id = ${orderId}
    )
    insert into inventory (branch_id, product_id, on_hand)
    select ${branchId}, product_id, units from line order by product_id
    on conflict (branch_id, product_id) do update set on_hand = inventory.on_hand + excluded.on_hand
    returning product_id as "productId", on_hand as "onHand",
      (select units from line where line.product_id = inventory.product_id) as "units"`;
  const [order] = await tx<[{ receivedAt: Date }]>`
    update purchase_order set received_at = now() where id = ${orderId} returning received_at as "receivedAt"`;
  const data = { purchaseOrderId: orderId, branchId, receivedAt: order.receivedAt.toISOString(), lines: [...lines] };
  return { data, event: { type: 'po.received', orgId, branchId, purchaseOrderId: orderId } };
}

/** The branch of an order that is still open. The row stays locked, so that nobody receives the order twice. */
async function lockOpenOrder(tx: Transaction, orgId: string, orderId: string): Promise<string> {
  const [order] = await tx<{ branchId: string; owner: string; receivedAt: Date | null }[]>`
    select branch_id as "branchId", organisation_id as "owner", received_at as "receivedAt"
    from purchase_order join branch on branch.id = purchase_order.branch_id
    where purchase_order.id = ${orderId}
    for update of purchase_order`;
  const field = 'id';
  if (!order) {
    const cure = 'GET /franchise/overview names the next one that is open.';
    throw new Problem(404, 'not_found', `There is no purchase order ${orderId}.`, { field, cure });
  }
  requireOwner(orgId, order.owner, field, `Purchase order ${orderId}`);
  if (order.receivedAt !== null) {
    const when = order.receivedAt.toISOString();
    const cure = 'Nothing is left to do.';
    throw new Problem(409, 'conflict', `Purchase order ${orderId} was received at ${when}.`, { field, cure });
  }
  return order.branchId;
}
