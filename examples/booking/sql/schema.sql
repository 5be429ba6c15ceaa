-- A shop where customers book time with its staff. All times are UTC.

create extension if not exists btree_gist;
create schema booking;

create table booking.staff (
  id          text primary key,
  name        text not null,
  -- At the external calendar.
  calendar_id text not null unique
);

create table booking.working_hours (
  staff_id text not null references booking.staff,
  weekday  smallint not null check (weekday between 1 and 7), -- 1 is Monday
  opens    time not null,
  closes   time not null check (closes > opens),
  primary key (staff_id, weekday)
);

create table booking.service (
  id      text primary key,
  name    text not null,
  minutes smallint not null check (minutes between 5 and 480)
);

create table booking.customer (
  id   text primary key,
  name text not null
);

-- `pending` and `moving`: a saga is at work, or was when its process died (see recovery.ts).
create table booking.appointment (
  id          text primary key,
  customer_id text not null references booking.customer,
  service_id  text not null references booking.service,
  state       text not null check (state in ('pending', 'booked', 'moving', 'cancelled')),
  -- The saga that may end the state, and since when it is at work.
  saga        text not null,
  since       timestamptz not null default clock_timestamp()
);
create index on booking.appointment (since) where state in ('pending', 'moving');

-- Who has which time of whom. An appointment that is being moved has two: the old time is free only once the new one is certain.
create table booking.claim (
  -- The event in the external calendar.
  event_id       text primary key,
  appointment_id text not null references booking.appointment,
  staff_id       text not null references booking.staff,
  during         tstzrange not null check (not isempty(during) and not lower_inf(during) and not upper_inf(during)),
  -- Whatever the code does: no two appointments have the same time of the same person.
  constraint no_double_booking
    exclude using gist (staff_id with =, appointment_id with <>, during with &&)
);
create index on booking.claim (appointment_id);

-- Events that the external calendar has yet to forget: written with the change that ended their claim.
create table booking.owed_release (
  event_id text primary key,
  staff_id text not null references booking.staff,
  day      date not null,
  since    timestamptz not null default clock_timestamp()
);

-- What customers are told: written with the change that it tells of, and sent afterwards.
create table booking.notice (
  id             bigint primary key generated always as identity,
  appointment_id text not null references booking.appointment,
  message        text not null,
  since          timestamptz not null default clock_timestamp(),
  sent_at        timestamptz
);
create index on booking.notice (since) where sent_at is null;
