-- Whoever is told something has one message on its way at a time, over all processes: a shop its sync states, a channel its alerts.
-- The lease, its fence and the rest of a target that did not answer therefore stand with the target.

CREATE TABLE sync_state_queue (
    binding_id  TEXT    NOT NULL PRIMARY KEY REFERENCES bindings (id),
    due_at      TEXT,                       -- when its first state is due; none when there is nothing to tell
    claim       INTEGER NOT NULL DEFAULT 0, -- grows with every claim: a holder with an older one has lost the lease
    claimed_at  TEXT,                       -- whose turn was longest ago is next
    lease_until TEXT,
    rests       INTEGER NOT NULL DEFAULT 0, -- how often, one after another, it had to be left alone
    rests_until TEXT
) STRICT;

CREATE INDEX sync_state_queue_due ON sync_state_queue (due_at) WHERE due_at IS NOT NULL;

INSERT INTO sync_state_queue (binding_id, due_at, lease_until)
SELECT binding_id, min(next_at), max(lease_until) FROM sync_state_deliveries WHERE next_at IS NOT NULL GROUP BY binding_id;

DROP INDEX sync_state_deliveries_due;
CREATE INDEX sync_state_deliveries_due ON sync_state_deliveries (binding_id, next_at) WHERE next_at IS NOT NULL;

ALTER TABLE sync_state_deliveries DROP COLUMN lease_until;
-- The oldest version that was sent without an answer, and when such a one left last: Magento may still take it in, after a newer one.
ALTER TABLE sync_state_deliveries ADD COLUMN unanswered_version INTEGER;
ALTER TABLE sync_state_deliveries ADD COLUMN unanswered_at TEXT;

ALTER TABLE alert_channels ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert_channels ADD COLUMN claimed_at TEXT;
ALTER TABLE alert_channels ADD COLUMN lease_until TEXT;
ALTER TABLE alert_channels ADD COLUMN rests INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert_channels ADD COLUMN rests_until TEXT;

UPDATE alert_channels
   SET lease_until = (SELECT max(d.lease_until) FROM alert_deliveries d
                       WHERE d.channel_id = alert_channels.id AND d.next_at IS NOT NULL);

ALTER TABLE alert_deliveries DROP COLUMN lease_until;
