-- A person and what they are in an organisation are two things: somebody may belong to several organisations, and an address belongs
-- to whoever has proved to read it.

CREATE TABLE people (
    id            TEXT NOT NULL PRIMARY KEY,
    email         TEXT NOT NULL, -- lower-cased
    password_hash TEXT NOT NULL,
    proved_at     TEXT, -- none: the address is a name to sign in with, in one organisation
    created_at    TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX people_proved ON people (email) WHERE proved_at IS NOT NULL;
CREATE INDEX people_email ON people (email);
CREATE INDEX people_unproved ON people (id) WHERE proved_at IS NULL;

-- Each member of today becomes a person under the same id, which the seals of the second factors are bound to. Their addresses were
-- unique and count as proved.
INSERT INTO people (id, email, password_hash, proved_at, created_at)
SELECT id, email, password_hash, created_at, created_at FROM members WHERE removed_at IS NULL;

-- The column of the address is unique, so the table has to be made again. What refers to it is checked at the end; the views would be
-- deleted with their members and wait beside.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE saved_views_kept AS SELECT * FROM saved_views;
CREATE TABLE members_kept AS SELECT * FROM members;
DROP TABLE members;

CREATE TABLE members (
    id              TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    person_id       TEXT REFERENCES people (id), -- none: removed
    name            TEXT NOT NULL,
    role            TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    chosen_at       TEXT, -- when the person last chose to stand here
    removed_at      TEXT,
    former_email    TEXT
) STRICT;

INSERT INTO members (id, organisation_id, person_id, name, role, created_at, removed_at, former_email)
SELECT id, organisation_id, CASE WHEN removed_at IS NULL THEN id END, name, role, created_at, removed_at, former_email
  FROM members_kept;
DROP TABLE members_kept;
INSERT INTO saved_views (member_id, name, query, created_at)
SELECT member_id, name, query, created_at FROM saved_views_kept;
DROP TABLE saved_views_kept;

CREATE UNIQUE INDEX members_person ON members (person_id, organisation_id);
CREATE INDEX members_organisation ON members (organisation_id);

-- Second factors belong to the person.
CREATE TABLE second_factors_new (
    person_id    TEXT    NOT NULL PRIMARY KEY REFERENCES people (id),
    envelope     TEXT    NOT NULL, -- the secret, sealed by the vault
    confirmed_at TEXT,
    last_step    INTEGER NOT NULL, -- the last accepted time step of 30 s
    version      INTEGER NOT NULL,
    updated_at   TEXT    NOT NULL
) STRICT;

INSERT INTO second_factors_new (person_id, envelope, confirmed_at, last_step, version, updated_at)
SELECT member_id, envelope, confirmed_at, last_step, version, updated_at
  FROM second_factors WHERE member_id IN (SELECT id FROM people);
DROP TABLE second_factors;
ALTER TABLE second_factors_new RENAME TO second_factors;

CREATE TABLE recovery_codes_new (
    person_id TEXT NOT NULL REFERENCES people (id),
    code_hash TEXT NOT NULL,
    used_at   TEXT,
    PRIMARY KEY (person_id, code_hash)
) STRICT, WITHOUT ROWID;

INSERT INTO recovery_codes_new (person_id, code_hash, used_at)
SELECT member_id, code_hash, used_at FROM recovery_codes WHERE member_id IN (SELECT id FROM people);
DROP TABLE recovery_codes;
ALTER TABLE recovery_codes_new RENAME TO recovery_codes;

-- Codes on their way to an address.
CREATE TABLE proofs (
    subject    TEXT    NOT NULL PRIMARY KEY, -- the invitation or the person
    code_hash  TEXT    NOT NULL,
    tries_left INTEGER NOT NULL,
    expires_at TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
