-- Targets and results of every branch of an organisation in one month.
--   $1  organisation
--   $2  month, as YYYY-MM
-- reads: branch, budget; sale, cogs, expense
select
  branch.id as "branchId",
  branch.name as "branchName",
  $2 as "period",
  budget.revenue_target as "revenueTarget",
  budget.cogs_target as "cogsTarget",
  budget.expense_target as "expenseTarget",
  coalesce(result.revenue, 0) as "revenue",
  coalesce(result.cogs, 0) as "cogs",
  coalesce(result.expenses, 0) as "expenses",
  round(100 * coalesce(result.revenue, 0) / nullif(budget.revenue_target, 0), 1) as "revenuePercentOfTarget"
from branch
left join budget on budget.branch_id = branch.id and budget.month = to_date($2, 'YYYY-MM')
left join month_result as result on result.branch_id = branch.id and result.month = to_date($2, 'YYYY-MM')
where branch.organisation_id = $1
order by branch.id;
