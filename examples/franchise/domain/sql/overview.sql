-- An organisation in one month beside the month before, and its stock, orders and transfers as they are now.
--   $1  organisation
--   $2  month, as YYYY-MM
-- reads: branch, inventory, inventory_adjustment, purchase_order, transfer; sale, cogs, expense
with own as (
  select id from branch where organisation_id = $1
), total as (
  select
    month_result.month,
    sum(orders) as orders,
    sum(revenue) as revenue,
    sum(cogs) as cogs,
    sum(expenses) as expenses
  from month_result join own on own.id = month_result.branch_id
  where month in (to_date($2, 'YYYY-MM'), to_date($2, 'YYYY-MM') - interval '1 month')
  group by month_result.month
), stock as (
  select sum(on_hand) as on_hand, sum(on_order) as on_order
  from stock_value join own on own.id = stock_value.branch_id
), due as (
  select count(*) as orders, min(purchase_order.id) as next
  from purchase_order join own on own.id = purchase_order.branch_id
  where received_at is null
), moved as (
  select count(*) as transfers, coalesce(sum(units), 0) as units
  from transfer join own on own.id = transfer.from_branch_id
), adjusted as (
  select count(*) as adjustments, coalesce(sum(change), 0) as units
  from inventory_adjustment join own on own.id = inventory_adjustment.branch_id
)
select
  $2 as "period",
  (select count(*) from own) as "branches",
  coalesce(this_month.orders, 0) as "orders",
  coalesce(this_month.revenue, 0) as "revenue",
  coalesce(this_month.cogs, 0) as "cogs",
  coalesce(this_month.expenses, 0) as "expenses",
  coalesce(this_month.revenue - this_month.cogs - this_month.expenses, 0) as "netProfit",
  round(100 * (this_month.revenue - month_before.revenue) / nullif(month_before.revenue, 0), 1) as "revenueGrowthPercent",
  stock.on_hand as "stockValue",
  stock.on_order as "onOrderValue",
  due.orders as "openPurchaseOrders",
  due.next as "nextPurchaseOrder",
  moved.transfers as "transfers",
  moved.units as "transferredUnits",
  adjusted.adjustments as "inventoryAdjustments",
  adjusted.units as "adjustedUnits"
from stock
cross join due
cross join moved
cross join adjusted
left join total as this_month on this_month.month = to_date($2, 'YYYY-MM')
left join total as month_before on month_before.month = to_date($2, 'YYYY-MM') - interval '1 month';
