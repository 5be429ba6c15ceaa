-- The outbox: what committed transactions have made stale, until the relay has seen it in the log.
-- Writers need USAGE on the schema and INSERT on the table; the relay SELECT and DELETE.

CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- A record without its number, in the format of docs/protocol.md.
  message bytea NOT NULL,
  -- For people and alarms: nothing is ordered by it.
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE outbox IS 'Invalidations of committed transactions that the relay has not yet seen in the log.';
