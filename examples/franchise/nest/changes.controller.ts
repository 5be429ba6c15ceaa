import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { type Budget, budgetBody, setBudget } from '../domain/budgets.ts';
import type { Commit } from '../domain/change.ts';
import { type Adjustment, adjustInventory, adjustmentBody } from '../domain/inventory.ts';
import { purchaseOrderParams, receivePurchaseOrder } from '../domain/purchase-orders.ts';
import { type Transfer, transferBody, transferStock } from '../domain/transfers.ts';
import { OrgId } from './org-id.ts';
import { COMMIT } from './providers.ts';
import { Shape } from './shape.ts';

const ofBudget = new Shape('body', budgetBody);
const ofPurchaseOrder = new Shape('params', purchaseOrderParams);
const ofTransfer = new Shape('body', transferBody);
const ofAdjustment = new Shape('body', adjustmentBody);

/** What can be changed, likewise. */
@Controller('franchise')
export class ChangesController {
  readonly #commit: Commit;

  constructor(@Inject(COMMIT) commit: Commit) {
    this.#commit = commit;
  }

  @Post('budgets')
  @HttpCode(200)
  setBudget(@OrgId() orgId: string, @Body(ofBudget) budget: Budget): Promise<object> {
    return this.#commit((tx) => setBudget(tx, orgId, budget));
  }

  @Post('purchase-orders/:id/receive')
  @HttpCode(200)
  receive(@OrgId() orgId: string, @Param(ofPurchaseOrder) { id }: { id: string }): Promise<object> {
    return this.#commit((tx) => receivePurchaseOrder(tx, orgId, id));
  }

  @Post('transfers')
  transfer(@OrgId() orgId: string, @Body(ofTransfer) transfer: Transfer): Promise<object> {
    return this.#commit((tx) => transferStock(tx, orgId, transfer));
  }

  @Post('inventory/adjustments')
  adjust(@OrgId() orgId: string, @Body(ofAdjustment) adjustment: Adjustment): Promise<object> {
    return this.#commit((tx) => adjustInventory(tx, orgId, adjustment));
  }
}
