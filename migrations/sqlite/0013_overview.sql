-- The overview: what happened over time is counted where it happens, so that no page ever counts the history; and sessions that
-- open nothing but the history of one shop, within Magento's admin.

CREATE TABLE run_counts (
    binding_id TEXT    NOT NULL REFERENCES bindings (id),
    span       TEXT    NOT NULL, -- hour or day
    starts_at  TEXT    NOT NULL,
    tally      TEXT    NOT NULL, -- received, or the status that a run ended in
    runs       INTEGER NOT NULL,
    PRIMARY KEY (binding_id, span, starts_at, tally)
) STRICT, WITHOUT ROWID;

INSERT INTO run_counts (binding_id, span, starts_at, tally, runs)
SELECT binding_id, 'hour', substr(created_at, 1, 13) || ':00:00.000Z', 'received', count(*) FROM runs GROUP BY 1, 3
UNION ALL
SELECT binding_id, 'day', substr(created_at, 1, 10) || 'T00:00:00.000Z', 'received', count(*) FROM runs GROUP BY 1, 3
UNION ALL
SELECT binding_id, 'hour', substr(finished_at, 1, 13) || ':00:00.000Z', status, count(*) FROM runs
 WHERE finished_at IS NOT NULL AND status IN ('succeeded', 'skipped_by_policy', 'failed') GROUP BY 1, 3, 4
UNION ALL
SELECT binding_id, 'day', substr(finished_at, 1, 10) || 'T00:00:00.000Z', status, count(*) FROM runs
 WHERE finished_at IS NOT NULL AND status IN ('succeeded', 'skipped_by_policy', 'failed') GROUP BY 1, 3, 4;

CREATE TABLE call_days (
    binding_id TEXT    NOT NULL REFERENCES bindings (id),
    day        TEXT    NOT NULL,
    calls      INTEGER NOT NULL, -- to Sage
    PRIMARY KEY (binding_id, day)
) STRICT, WITHOUT ROWID;

INSERT INTO call_days (binding_id, day, calls)
SELECT binding_id, substr(started_at, 1, 10) || 'T00:00:00.000Z', count(*) FROM steps WHERE target = 'sage' GROUP BY 1, 2;

-- What is open, in the order of its groups and with all that they are counted from: they are told without sorting the runs.
DROP INDEX runs_causes;
CREATE INDEX runs_causes ON runs (organisation_id, coalesce(cause, code), binding_id, status, code, currency, id, amount_minor,
                                  resolved_by, cause)
    WHERE status IN ('failed', 'waiting') AND resolved_by IS NULL;

-- How long the newest took.
CREATE INDEX runs_succeeded ON runs (organisation_id, finished_at) WHERE status = 'succeeded';
-- What Magento could not be told.
CREATE INDEX sync_state_deliveries_untold ON sync_state_deliveries (binding_id) WHERE next_at IS NULL AND delivered_at IS NULL;

ALTER TABLE sessions ADD COLUMN embed_binding_id TEXT REFERENCES bindings (id);

-- Why it must be connected again: who refuses us, as a code. Means something only while it must.
ALTER TABLE bindings ADD COLUMN refusal TEXT;
