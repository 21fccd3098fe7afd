-- What an operator asks for: the trace that a run belongs to, and the indexes that finding and clearing away old runs need.

ALTER TABLE runs ADD COLUMN trace_parent TEXT; -- as W3C Trace Context writes it
-- That of the run whose end is to be told.
ALTER TABLE sync_state_deliveries ADD COLUMN trace_parent TEXT;

-- The events of a run.
CREATE INDEX events_run ON events (binding_id, run_id);
-- What hangs on a run and on an attempt: without these each row that is deleted would be looked for in the whole table below.
CREATE INDEX attempts_run ON attempts (run_id);
CREATE INDEX steps_attempt ON steps (attempt_id);
-- States that Magento was never told.
CREATE INDEX sync_state_deliveries_given_up ON sync_state_deliveries (binding_id)
    WHERE next_at IS NULL AND last_error IS NOT NULL;
