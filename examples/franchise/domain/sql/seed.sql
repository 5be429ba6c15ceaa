-- The same books at every start: 3 organisations, 60 branches (B101 to B125 of ORG1, B201 to B220 of ORG2, B301 to B315
-- of ORG3), 24 months from 2023-12 to 2025-11. What looks random is a hash of what it belongs to.

set local search_path to franchise;

-- A number in [0, 1) that depends on nothing but its name.
create function pg_temp.noise(name text) returns double precision immutable language sql
as $$ select ('x' || left(md5(name), 8))::bit(32)::bigint / 4294967296.0 $$;

insert into organisation values ('ORG1', 'Harbour Coffee'), ('ORG2', 'Mill Lane Bakers'), ('ORG3', 'Noodle Yard');

insert into branch
select 'B' || org * 100 + i, 'ORG' || org, town[1 + (i - 1) % 25] || case org when 1 then ' Quay' when 2 then ' Market' else ' Station' end
from (values (1, 25), (2, 20), (3, 15)) as size (org, branches)
cross join lateral generate_series(1, branches) as i
cross join (select array[
  'Aldgate', 'Barrow', 'Camber', 'Dunmore', 'Elmham', 'Fenwick', 'Garston', 'Halewood', 'Ilford', 'Jarrow', 'Kelso',
  'Larne', 'Malton', 'Newlyn', 'Oakham', 'Penrith', 'Quorn', 'Redcar', 'Selby', 'Tenby', 'Ulverston', 'Ventnor', 'Whitby',
  'Yarm', 'Zeal']) as names (town)
order by org, i;

insert into product values
  ('BEANS', 'Coffee beans, 1 kg', 14.50), ('FLOUR', 'Flour, 10 kg', 8.20), ('MILK', 'Milk, 12 l', 11.40),
  ('NOODLES', 'Noodles, 5 kg', 9.90), ('CUPS', 'Paper cups, 500', 21.00), ('OIL', 'Oil, 5 l', 17.60);

-- Daily takings: the size of the branch, a growth of its own, the season, the weekday, and the day's luck.
with character as materialized (
  select id, 1200 + 2400 * pg_temp.noise(id) as size, 0.25 * pg_temp.noise(id || ' growth') - 0.05 as growth from branch
), calendar as materialized (
  select day::date, (day::date - date '2023-12-01') / 730.0::float8 as elapsed,
    (1 + 0.15 * sin(2 * pi() * extract(doy from day) / 365))
      * (array[0.85, 0.9, 0.95, 1.0, 1.2, 1.3, 0.8])[extract(isodow from day)::int] as factor
  from generate_series(date '2023-12-01', date '2025-11-30', interval '1 day') as day
)
insert into sale
select id, day, (revenue / 9.5)::int, round(revenue::numeric, 2)
from character cross join calendar
cross join lateral (
  select size * (1 + growth * elapsed) * factor * (0.9 + 0.2 * pg_temp.noise(id || ' ' || day)) as revenue) as takings;

insert into cogs
select branch_id, month, round(revenue * (0.28 + 0.08 * pg_temp.noise(branch_id || ' cogs ' || month))::numeric, 2)
from month_result;

insert into expense
select branch_id, month, category, round((share * revenue * (0.9 + 0.2 * pg_temp.noise(branch_id || category || month)))::numeric, 2)
from month_result cross join (values ('wages', 0.30), ('rent', 0.11), ('energy', 0.04), ('marketing', 0.03)) as part (category, share)
where revenue > 0;

-- Targets near the results, in round figures, some ambitious and some modest.
insert into budget
select branch_id, month,
  round((revenue * (0.95 + 0.15 * pg_temp.noise(branch_id || ' target ' || month)))::numeric, -2),
  round((cogs * 0.98)::numeric, -2),
  round((expenses * 1.01)::numeric, -2)
from month_result;

insert into inventory
select branch.id, product.id, 40 + (160 * pg_temp.noise(branch.id || product.id))::int
from branch cross join product;

-- Three purchase orders for each branch: the oldest has been received.
insert into purchase_order
select 'PO-' || substr(branch.id, 2) || '-' || n, branch.id, date '2025-10-20' + 12 * n,
  case n when 1 then timestamptz '2025-11-05 09:00Z' end
from branch cross join generate_series(1, 3) as n;

insert into purchase_order_line
select purchase_order.id, product.id, 5 + (30 * pg_temp.noise(purchase_order.id || product.id))::int
from purchase_order cross join product
where pg_temp.noise(product.id || purchase_order.id) < 0.5 or product.id = 'MILK';

-- A few transfers between neighbours within each organisation.
insert into transfer (from_branch_id, to_branch_id, product_id, units, made_at)
select branch.id, neighbour.id, 'CUPS', 2 + (6 * pg_temp.noise(branch.id || 'transfer'))::int, timestamptz '2025-11-01 08:00Z'
from branch
join branch as neighbour on neighbour.organisation_id = branch.organisation_id
  and substr(neighbour.id, 2)::int = substr(branch.id, 2)::int + 1
where substr(branch.id, 2)::int % 3 = 0;

analyze;
