-- When what puts something off was written, by the clock of who wrote it: what is later than now was written by a clock that was ahead.

ALTER TABLE leases ADD COLUMN taken_at TEXT;
ALTER TABLE rests ADD COLUMN set_at TEXT;
ALTER TABLE sync_state_deliveries ADD COLUMN set_at TEXT;
ALTER TABLE alert_deliveries ADD COLUMN set_at TEXT;

-- What may still land in Sage; there is never much of it.
CREATE INDEX intents_unanswered ON intents (unanswered_at) WHERE unanswered_at IS NOT NULL;
