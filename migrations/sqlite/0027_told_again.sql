-- What a shop was never told is told after all: earlier versions gave it up during an outage.

UPDATE sync_state_deliveries SET next_at = at, attempts = 0
 WHERE next_at IS NULL AND delivered_at IS NULL AND last_error IS NOT NULL;
UPDATE sync_state_queue
   SET due_at = (SELECT min(d.next_at) FROM sync_state_deliveries d WHERE d.binding_id = sync_state_queue.binding_id)
 WHERE lease_until IS NULL;
