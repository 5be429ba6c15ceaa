-- The books of franchise organisations. Every branch belongs to one of them; everything else belongs to a branch.
-- Amounts are in the currency's unit with two decimals. A month is the date of its first day.

create schema franchise;
set local search_path to franchise;

create table organisation (
  id   text primary key,
  name text not null
);

create table branch (
  id              text primary key,
  organisation_id text not null references organisation,
  name            text not null
);
create index on branch (organisation_id);

create table product (
  id        text primary key,
  name      text not null,
  unit_cost numeric(10, 2) not null check (unit_cost > 0)
);

-- What this service only reads.

create table sale (
  branch_id text not null references branch,
  day       date not null,
  orders    integer not null,
  revenue   numeric(12, 2) not null,
  primary key (branch_id, day)
);

create table cogs (
  branch_id text not null references branch,
  month     date not null,
  amount    numeric(12, 2) not null,
  primary key (branch_id, month)
);

create table expense (
  branch_id text not null references branch,
  month     date not null,
  category  text not null,
  amount    numeric(12, 2) not null,
  primary key (branch_id, month, category)
);

-- What the four commands change.

create table budget (
  branch_id      text not null references branch,
  month          date not null,
  revenue_target numeric(12, 2) not null check (revenue_target >= 0),
  cogs_target    numeric(12, 2) not null check (cogs_target >= 0),
  expense_target numeric(12, 2) not null check (expense_target >= 0),
  primary key (branch_id, month)
);

create table inventory (
  branch_id  text not null references branch,
  product_id text not null references product,
  on_hand    integer not null check (on_hand >= 0),
  primary key (branch_id, product_id)
);

create table inventory_adjustment (
  id         integer primary key generated always as identity,
  branch_id  text not null references branch,
  product_id text not null references product,
  change     integer not null check (change <> 0),
  reason     text not null,
  made_at    timestamptz not null default now()
);
create index on inventory_adjustment (branch_id);

create table purchase_order (
  id          text primary key,
  branch_id   text not null references branch,
  ordered_on  date not null,
  received_at timestamptz
);
create index on purchase_order (branch_id);

create table purchase_order_line (
  purchase_order_id text not null references purchase_order,
  product_id        text not null references product,
  units             integer not null check (units > 0),
  primary key (purchase_order_id, product_id)
);

create table transfer (
  id             integer primary key generated always as identity,
  from_branch_id text not null references branch,
  to_branch_id   text not null references branch check (to_branch_id <> from_branch_id),
  product_id     text not null references product,
  units          integer not null check (units > 0),
  made_at        timestamptz not null default now()
);
create index on transfer (from_branch_id);

-- The result of each branch in each month.
create view month_result as
select branch_id, month, sum(orders)::int as orders, sum(revenue) as revenue, sum(cogs) as cogs, sum(expenses) as expenses
from (
  select branch_id, date_trunc('month', day)::date as month, orders, revenue, 0 as cogs, 0 as expenses from sale
  union all
  select branch_id, month, 0, 0, amount, 0 from cogs
  union all
  select branch_id, month, 0, 0, 0, amount from expense
) as entry
group by branch_id, month;

-- Stock of each branch at cost: what is on its shelves, and what suppliers still owe it. Receiving a purchase order moves
-- value from the second to the first, so their sum, the inventory position, stays the same.
create view stock_value as
select
  branch.id as branch_id,
  coalesce((
    select sum(inventory.on_hand * product.unit_cost)
    from inventory join product on product.id = inventory.product_id
    where inventory.branch_id = branch.id), 0) as on_hand,
  coalesce((
    select sum(line.units * product.unit_cost)
    from purchase_order
    join purchase_order_line as line on line.purchase_order_id = purchase_order.id
    join product on product.id = line.product_id
    where purchase_order.branch_id = branch.id and purchase_order.received_at is null), 0) as on_order
from branch;
