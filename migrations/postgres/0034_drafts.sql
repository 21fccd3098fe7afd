-- Settings that were sent without being saved, sealed: shown again for some minutes by the page that they came from.
CREATE TABLE settings_drafts (
    member_id  uuid NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    binding_id uuid NOT NULL REFERENCES bindings (id) ON DELETE CASCADE,
    sealed     text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, binding_id)
);

CREATE INDEX settings_drafts_expiring ON settings_drafts (expires_at);
