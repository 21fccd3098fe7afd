-- What a bulk retry has queued is found again, so that it can say what came of each.
ALTER TABLE actions ADD COLUMN bulk_retry_id TEXT;
CREATE INDEX actions_bulk_retry ON actions (bulk_retry_id) WHERE bulk_retry_id IS NOT NULL;
