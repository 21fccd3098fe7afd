-- People: invitations, second factors, browsers that can be told apart, and a limit on tries.

-- Who was removed keeps the row, because settings name their author. The address moves aside, so that it can be invited again;
-- in its place stands `removed:` and the id, which is no address.
ALTER TABLE members ADD COLUMN removed_at timestamptz;
ALTER TABLE members ADD COLUMN former_email text;

CREATE TABLE invitations (
    id              uuid        NOT NULL,
    organisation_id uuid        NOT NULL,
    email           text        NOT NULL, -- lower-cased
    role            text        NOT NULL,
    invited_by      uuid        NOT NULL,
    token_hash      text        NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz,
    withdrawn_at    timestamptz,
    CONSTRAINT invitations_pkey PRIMARY KEY (id),
    CONSTRAINT invitations_token_hash_key UNIQUE (token_hash),
    CONSTRAINT invitations_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES members (id)
);

CREATE INDEX invitations_organisation ON invitations (organisation_id);

-- Made anew, which signs everybody out once: a row without its new columns would have to be guessed.
DROP TABLE sessions;

CREATE TABLE sessions (
    token_hash   text        NOT NULL,
    id           uuid        NOT NULL,
    member_id    uuid        NOT NULL,
    browser      text        NOT NULL,
    created_at   timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (token_hash),
    CONSTRAINT sessions_id_key UNIQUE (id),
    CONSTRAINT sessions_member_id_fkey FOREIGN KEY (member_id) REFERENCES members (id)
);

CREATE INDEX sessions_member ON sessions (member_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- The right password was given, the code of the second factor not yet.
CREATE TABLE pending_sign_ins (
    token_hash text        NOT NULL,
    member_id  uuid        NOT NULL,
    tries_left integer     NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pending_sign_ins_pkey PRIMARY KEY (token_hash),
    CONSTRAINT pending_sign_ins_member_id_fkey FOREIGN KEY (member_id) REFERENCES members (id)
);

CREATE TABLE second_factors (
    member_id    uuid        NOT NULL,
    envelope     text        NOT NULL, -- the secret, sealed by the vault
    confirmed_at timestamptz,
    last_step    bigint      NOT NULL, -- the last accepted time step of 30 s
    version      bigint      NOT NULL,
    updated_at   timestamptz NOT NULL,
    CONSTRAINT second_factors_pkey PRIMARY KEY (member_id),
    CONSTRAINT second_factors_member_id_fkey FOREIGN KEY (member_id) REFERENCES members (id)
);

CREATE TABLE recovery_codes (
    member_id uuid        NOT NULL,
    code_hash text        NOT NULL,
    used_at   timestamptz,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (member_id, code_hash),
    CONSTRAINT recovery_codes_member_id_fkey FOREIGN KEY (member_id) REFERENCES members (id)
);

-- How far ahead of time somebody's tries have run (GCRA), in milliseconds since 1970. Keys are digests: no address is kept.
CREATE TABLE tries (
    key      text   NOT NULL,
    ahead_to bigint NOT NULL,
    CONSTRAINT tries_pkey PRIMARY KEY (key)
);
