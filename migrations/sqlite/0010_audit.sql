-- What was sent and answered, and the newest attempt's Plan. Both are redacted before they come here.

ALTER TABLE steps ADD COLUMN request TEXT; -- JSON
ALTER TABLE steps ADD COLUMN answer TEXT;  -- JSON

CREATE TABLE run_plans (
    binding_id TEXT NOT NULL REFERENCES bindings (id),
    run_id     TEXT NOT NULL PRIMARY KEY REFERENCES runs (id),
    attempt_id TEXT NOT NULL REFERENCES attempts (id),
    plan       TEXT NOT NULL, -- JSON
    made_at    TEXT NOT NULL
) STRICT;
