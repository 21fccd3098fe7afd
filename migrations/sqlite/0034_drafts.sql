-- Settings that were sent without being saved, sealed: shown again for some minutes by the page that they came from.
CREATE TABLE settings_drafts (
    member_id  TEXT NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    binding_id TEXT NOT NULL REFERENCES bindings (id) ON DELETE CASCADE,
    sealed     TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (member_id, binding_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX settings_drafts_expiring ON settings_drafts (expires_at);
