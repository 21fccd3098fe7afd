-- The audit trail is read by kind and by person as well.
CREATE INDEX actions_kind ON actions (organisation_id, action, id);
CREATE INDEX actions_member ON actions (organisation_id, member_id, id) WHERE member_id IS NOT NULL;

-- When the person at a session last showed their password; none: before this was kept, which is long ago.
ALTER TABLE sessions ADD COLUMN proved_at timestamptz;

-- Where a sign-in that waits for its code began: a shop's admin, or Ledger itself.
ALTER TABLE pending_sign_ins ADD COLUMN embed_binding_id uuid;
