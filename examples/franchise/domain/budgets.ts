import { requireBranch } from './branches.ts';
import type { Change } from './change.ts';
import type { Transaction } from './database.ts';
import { amount, fields, id, period } from './validation.ts';

/** The targets of one branch for one month. */
export interface Budget {
  branchId: string;
  period: string;
  revenueTarget: number;
  cogsTarget: number;
  expenseTarget: number;
}

export const budgetBody: object = fields({
  branchId: id('branch', 'B123'),
  period,
  revenueTarget: amount(72_000),
  cogsTarget: amount(21_000),
  expenseTarget: amount(30_000),
});

/** Sets the targets of a branch for a month, whether it had some or not. */
export async function setBudget(tx: Transaction, orgId: string, budget: Budget): Promise<Change<Budget>> {
  const { branchId, revenueTarget, cogsTarget, expenseTarget } = budget;
  await requireBranch(tx, orgId, branchId, 'branchId');
  const [row] = await tx<[Budget]>`
    insert into budget (branch_id, month, revenue_target, cogs_target, expense_target)
    values (${branchId}, to_date(${budget.period}, 'YYYY-MM'), ${revenueTarget}, ${cogsTarget}, ${expenseTarget})
    on conflict (branch_id, month) do update set
      revenue_target = excluded.revenue_target,
      cogs_target = excluded.cogs_target,
      expense_target = excluded.expense_target
    returning branch_id as "branchId", to_char(month, 'YYYY-MM') as "period", revenue_target as "revenueTarget",
      cogs_target as "cogsTarget", expense_target as "expenseTarget"`;
  return { data: row, event: { type: 'budget.updated', orgId, branchId, period: budget.period } };
}
