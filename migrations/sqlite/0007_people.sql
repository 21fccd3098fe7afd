-- People: invitations, second factors, browsers that can be told apart, and a limit on tries.

-- Who was removed keeps the row, because settings name their author. The address moves aside, so that it can be invited again;
-- in its place stands `removed:` and the id, which is no address.
ALTER TABLE members ADD COLUMN removed_at TEXT;
ALTER TABLE members ADD COLUMN former_email TEXT;

CREATE TABLE invitations (
    id              TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    email           TEXT NOT NULL, -- lower-cased
    role            TEXT NOT NULL,
    invited_by      TEXT NOT NULL REFERENCES members (id),
    token_hash      TEXT NOT NULL UNIQUE,
    created_at      TEXT NOT NULL,
    expires_at      TEXT NOT NULL,
    used_at         TEXT,
    withdrawn_at    TEXT
) STRICT;

CREATE INDEX invitations_organisation ON invitations (organisation_id);

-- Made anew, which signs everybody out once: a row without its new columns would have to be guessed.
DROP TABLE sessions;

CREATE TABLE sessions (
    token_hash   TEXT NOT NULL PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    member_id    TEXT NOT NULL REFERENCES members (id),
    browser      TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    expires_at   TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_member ON sessions (member_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- The right password was given, the code of the second factor not yet.
CREATE TABLE pending_sign_ins (
    token_hash TEXT    NOT NULL PRIMARY KEY,
    member_id  TEXT    NOT NULL REFERENCES members (id),
    tries_left INTEGER NOT NULL,
    expires_at TEXT    NOT NULL
) STRICT;

CREATE TABLE second_factors (
    member_id    TEXT    NOT NULL PRIMARY KEY REFERENCES members (id),
    envelope     TEXT    NOT NULL, -- the secret, sealed by the vault
    confirmed_at TEXT,
    last_step    INTEGER NOT NULL, -- the last accepted time step of 30 s
    version      INTEGER NOT NULL,
    updated_at   TEXT    NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    member_id TEXT NOT NULL REFERENCES members (id),
    code_hash TEXT NOT NULL,
    used_at   TEXT,
    PRIMARY KEY (member_id, code_hash)
) STRICT, WITHOUT ROWID;

-- How far ahead of time somebody's tries have run (GCRA), in milliseconds since 1970. Keys are digests: no address is kept.
CREATE TABLE tries (
    key      TEXT    NOT NULL PRIMARY KEY,
    ahead_to INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
