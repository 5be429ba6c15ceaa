-- The outbox: what committed transactions have made stale, until the relay has seen it in the log.
-- Writers need USAGE on the schema and INSERT on the table; the relay SELECT and DELETE, and SELECT and INSERT on "relay".

CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- A record without its number, in the format of docs/protocol.md.
  message bytea NOT NULL,
  -- For people and alarms: nothing is ordered by it.
  written_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
-- Rows live for milliseconds. What is left of them is cleared away often, and as fast as the server can: a sweep of a small
-- table is short.
WITH (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_insert_threshold = -1,
  autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 100000
);

COMMENT ON TABLE outbox IS 'Invalidations of committed transactions that the relay has not yet seen in the log.';

-- Which log this outbox belongs to, by its name: a relay of another one would take its messages elsewhere.
CREATE TABLE relay (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  log text NOT NULL
);

COMMENT ON TABLE relay IS 'The log that the outbox belongs to, as the first relay has named it.';
