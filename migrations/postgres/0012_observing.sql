-- What an operator asks for: the trace that a run belongs to, and the indexes that finding and clearing away old runs need.

ALTER TABLE runs ADD COLUMN trace_parent text; -- as W3C Trace Context writes it
-- That of the run whose end is to be told.
ALTER TABLE sync_state_deliveries ADD COLUMN trace_parent text;

-- The events of a run.
CREATE INDEX events_run ON events (binding_id, run_id);
-- States that Magento was never told.
CREATE INDEX sync_state_deliveries_given_up ON sync_state_deliveries (binding_id)
    WHERE next_at IS NULL AND last_error IS NOT NULL;
