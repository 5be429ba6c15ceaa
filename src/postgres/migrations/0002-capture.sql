-- How far capture has read the database's log.
-- The relay needs SELECT, INSERT and UPDATE, and the attribute REPLICATION.

CREATE TABLE capture (
  slot text PRIMARY KEY,
  -- Written before the slot is told: a slot that is further than this was moved by somebody else, and hides changes.
  acknowledged pg_lsn NOT NULL,
  -- Why changes may have been missed; everything has to be invalidated before it is NULL again.
  gap text,
  -- The publication and the timeline as they were when everything was last invalidated.
  publication text,
  timeline text,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

COMMENT ON TABLE capture IS 'How far capture has read the database''s log, by replication slot.';
