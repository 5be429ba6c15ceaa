/** What happens in the business. Each is raised after the change behind it is committed, by the command that made it. */
export type DomainEvent =
  | { type: 'budget.updated'; orgId: string; branchId: string; period: string }
  | { type: 'po.received'; orgId: string; branchId: string; purchaseOrderId: string }
  | { type: 'transfer.changed'; orgId: string; transferId: number }
  | { type: 'inventory.adjusted'; orgId: string; branchId: string; productId: string };
