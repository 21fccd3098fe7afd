-- The overview: what happened over time is counted where it happens, so that no page ever counts the history; and sessions that
-- open nothing but the history of one shop, within Magento's admin.

CREATE TABLE run_counts (
    binding_id uuid        NOT NULL,
    span       text        NOT NULL, -- hour or day
    starts_at  timestamptz NOT NULL,
    tally      text        NOT NULL, -- received, or the status that a run ended in
    part       integer     NOT NULL DEFAULT 0, -- a count is kept in parts, so that webhooks of one shop do not wait for each other
    runs       bigint      NOT NULL,
    CONSTRAINT run_counts_pkey PRIMARY KEY (binding_id, span, starts_at, tally, part),
    CONSTRAINT run_counts_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

INSERT INTO run_counts (binding_id, span, starts_at, tally, runs)
SELECT r.binding_id, s.span, date_trunc(s.span, r.created_at, 'UTC'), 'received', count(*)
  FROM runs r CROSS JOIN (VALUES ('hour'), ('day')) AS s (span) GROUP BY 1, 2, 3
UNION ALL
SELECT r.binding_id, s.span, date_trunc(s.span, r.finished_at, 'UTC'), r.status, count(*)
  FROM runs r CROSS JOIN (VALUES ('hour'), ('day')) AS s (span)
 WHERE r.finished_at IS NOT NULL AND r.status IN ('succeeded', 'skipped_by_policy', 'failed') GROUP BY 1, 2, 3, 4;

CREATE TABLE call_days (
    binding_id uuid        NOT NULL,
    day        timestamptz NOT NULL,
    calls      bigint      NOT NULL, -- to Sage
    CONSTRAINT call_days_pkey PRIMARY KEY (binding_id, day),
    CONSTRAINT call_days_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

INSERT INTO call_days (binding_id, day, calls)
SELECT binding_id, date_trunc('day', started_at, 'UTC'), count(*) FROM steps WHERE target = 'sage' GROUP BY 1, 2;

-- What is open, in the order of its groups and with all that they are counted from: they are told without sorting the runs.
DROP INDEX runs_causes;
CREATE INDEX runs_causes ON runs (organisation_id, coalesce(cause, code), binding_id, status, code, currency, id, amount_minor,
                                  resolved_by, cause)
    WHERE status IN ('failed', 'waiting') AND resolved_by IS NULL;

-- How long the newest took.
CREATE INDEX runs_succeeded ON runs (organisation_id, finished_at) WHERE status = 'succeeded';
-- What Magento could not be told.
CREATE INDEX sync_state_deliveries_untold ON sync_state_deliveries (binding_id) WHERE next_at IS NULL AND delivered_at IS NULL;

ALTER TABLE sessions ADD COLUMN embed_binding_id uuid;
ALTER TABLE sessions ADD CONSTRAINT sessions_embed_binding_id_fkey FOREIGN KEY (embed_binding_id) REFERENCES bindings (id);

-- Why it must be connected again: who refuses us, as a code. Means something only while it must.
ALTER TABLE bindings ADD COLUMN refusal text;
