-- The branches of an organisation by what a month's gross margin was for each unit of money in stock (GMROI, the
-- retailer's measure: it falls when stock is bought in, and differs between two branches that share stock badly).
--   $1  organisation
--   $2  month, as YYYY-MM
-- reads: branch, inventory, purchase_order; sale, cogs, expense
select
  rank() over (order by figures.gmroi desc nulls last) as "rank",
  branch.id as "branchId",
  branch.name as "branchName",
  $2 as "period",
  figures.gmroi as "grossMarginPerStock",
  figures.stock_value as "stockValue",
  coalesce(result.revenue, 0) as "revenue",
  coalesce(result.revenue - result.cogs - result.expenses, 0) as "netProfit",
  rank() over (order by coalesce(result.revenue, 0) desc) as "rankByRevenue"
from branch
join stock_value on stock_value.branch_id = branch.id
left join month_result as result on result.branch_id = branch.id and result.month = to_date($2, 'YYYY-MM')
cross join lateral (select
  stock_value.on_hand as stock_value,
  round((result.revenue - result.cogs) / nullif(stock_value.on_hand, 0), 3) as gmroi) as figures
where branch.organisation_id = $1
order by 1, branch.id;
