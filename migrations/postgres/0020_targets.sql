-- Whoever is told something has one message on its way at a time, over all processes: a shop its sync states, a channel its alerts.
-- The lease, its fence and the rest of a target that did not answer therefore stand with the target.

CREATE TABLE sync_state_queue (
    binding_id  uuid        NOT NULL,
    due_at      timestamptz,                    -- when its first state is due; none when there is nothing to tell
    claim       bigint      NOT NULL DEFAULT 0, -- grows with every claim: a holder with an older one has lost the lease
    claimed_at  timestamptz,                    -- whose turn was longest ago is next
    lease_until timestamptz,
    rests       integer     NOT NULL DEFAULT 0, -- how often, one after another, it had to be left alone
    rests_until timestamptz,
    CONSTRAINT sync_state_queue_pkey PRIMARY KEY (binding_id),
    CONSTRAINT sync_state_queue_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE INDEX sync_state_queue_due ON sync_state_queue (due_at) WHERE due_at IS NOT NULL;

INSERT INTO sync_state_queue (binding_id, due_at, lease_until)
SELECT binding_id, min(next_at), max(lease_until) FROM sync_state_deliveries WHERE next_at IS NOT NULL GROUP BY binding_id;

DROP INDEX sync_state_deliveries_due;
CREATE INDEX sync_state_deliveries_due ON sync_state_deliveries (binding_id, next_at) WHERE next_at IS NOT NULL;

-- The oldest version that was sent without an answer, and when such a one left last: Magento may still take it in, after a newer one.
ALTER TABLE sync_state_deliveries
    DROP COLUMN lease_until,
    DROP COLUMN leased_version,
    ADD COLUMN unanswered_version bigint,
    ADD COLUMN unanswered_at timestamptz;

ALTER TABLE alert_channels
    ADD COLUMN claim bigint NOT NULL DEFAULT 0,
    ADD COLUMN claimed_at timestamptz,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN rests integer NOT NULL DEFAULT 0,
    ADD COLUMN rests_until timestamptz;

UPDATE alert_channels c
SET lease_until = (SELECT max(d.lease_until) FROM alert_deliveries d WHERE d.channel_id = c.id AND d.next_at IS NOT NULL);

ALTER TABLE alert_deliveries DROP COLUMN lease_until;

-- A state that is due or was given up has not arrived; what arrived was an older one.
UPDATE sync_state_deliveries SET delivered_at = NULL
WHERE delivered_at IS NOT NULL AND (next_at IS NOT NULL OR last_error IS NOT NULL);
