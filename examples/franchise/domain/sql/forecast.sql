-- The next three months of every branch of an organisation: the straight line through its monthly revenue, times the
-- season (how a calendar month compares with the average one), and how long its inventory position will last.
--   $1  organisation
-- reads: branch, inventory, purchase_order; sale, cogs, expense
-- Receiving a purchase order changes both parts of the position but not their sum, hence not this forecast.
with history as (
  select result.branch_id, month, revenue, cogs,
    row_number() over (partition by result.branch_id order by month) as n
  from month_result as result join branch on branch.id = result.branch_id
  where branch.organisation_id = $1
), line as (
  select branch_id, count(*) as months, max(month) as last_month, avg(revenue) as average,
    regr_slope(revenue, n) as slope, regr_intercept(revenue, n) as intercept
  from history
  group by branch_id
), season as (
  select history.branch_id, extract(month from month) as calendar_month,
    avg(revenue / (line.intercept + line.slope * n)) as factor
  from history join line on line.branch_id = history.branch_id
  group by history.branch_id, extract(month from month)
), recent as (
  select history.branch_id, avg(cogs) as monthly_cogs
  from history join line on line.branch_id = history.branch_id
  where n > months - 3
  group by history.branch_id
), ahead as (
  select line.branch_id, jsonb_agg(
    jsonb_build_object(
      'period', to_char(line.last_month + make_interval(months => step), 'YYYY-MM'),
      'revenue', round(((line.intercept + line.slope * (line.months + step)) * season.factor)::numeric, 2))
    order by step) as months
  from line
  cross join generate_series(1, 3) as step
  join season on season.branch_id = line.branch_id
    and season.calendar_month = extract(month from line.last_month + make_interval(months => step))
  group by line.branch_id
)
select
  branch.id as "branchId",
  branch.name as "branchName",
  round(line.slope::numeric, 2) as "revenueTrendPerMonth",
  ahead.months as "months",
  stock_value.on_hand + stock_value.on_order as "inventoryPosition",
  round((stock_value.on_hand + stock_value.on_order) / nullif(recent.monthly_cogs, 0) * 30, 1) as "daysOfCover"
from branch
join line on line.branch_id = branch.id
join recent on recent.branch_id = branch.id
join ahead on ahead.branch_id = branch.id
join stock_value on stock_value.branch_id = branch.id
where branch.organisation_id = $1
order by branch.id;
