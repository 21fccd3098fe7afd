-- A person and what they are in an organisation are two things: somebody may belong to several organisations, and an address belongs
-- to whoever has proved to read it.

CREATE TABLE people (
    id            uuid        NOT NULL,
    email         text        NOT NULL, -- lower-cased
    password_hash text        NOT NULL,
    proved_at     timestamptz, -- none: the address is a name to sign in with, in one organisation
    created_at    timestamptz NOT NULL,
    CONSTRAINT people_pkey PRIMARY KEY (id)
);

CREATE UNIQUE INDEX people_proved ON people (email) WHERE proved_at IS NOT NULL;
CREATE INDEX people_email ON people (email);
CREATE INDEX people_unproved ON people (id) WHERE proved_at IS NULL;

-- Each member of today becomes a person under the same id, which the seals of the second factors are bound to. Their addresses were
-- unique and count as proved.
INSERT INTO people (id, email, password_hash, proved_at, created_at)
SELECT id, email, password_hash, created_at, created_at FROM members WHERE removed_at IS NULL;

ALTER TABLE members ADD COLUMN person_id uuid; -- none: removed
ALTER TABLE members ADD COLUMN chosen_at timestamptz; -- when the person last chose to stand here
UPDATE members SET person_id = id WHERE removed_at IS NULL;
ALTER TABLE members ADD CONSTRAINT members_person_id_fkey FOREIGN KEY (person_id) REFERENCES people (id);
ALTER TABLE members DROP COLUMN email;
ALTER TABLE members DROP COLUMN password_hash;

CREATE UNIQUE INDEX members_person ON members (person_id, organisation_id);
CREATE INDEX members_organisation ON members (organisation_id);

-- Second factors belong to the person.
DELETE FROM second_factors WHERE member_id NOT IN (SELECT id FROM people);
ALTER TABLE second_factors RENAME COLUMN member_id TO person_id;
ALTER TABLE second_factors DROP CONSTRAINT second_factors_member_id_fkey;
ALTER TABLE second_factors ADD CONSTRAINT second_factors_person_id_fkey FOREIGN KEY (person_id) REFERENCES people (id);

DELETE FROM recovery_codes WHERE member_id NOT IN (SELECT id FROM people);
ALTER TABLE recovery_codes RENAME COLUMN member_id TO person_id;
ALTER TABLE recovery_codes DROP CONSTRAINT recovery_codes_member_id_fkey;
ALTER TABLE recovery_codes ADD CONSTRAINT recovery_codes_person_id_fkey FOREIGN KEY (person_id) REFERENCES people (id);

-- Codes on their way to an address.
CREATE TABLE proofs (
    subject    uuid        NOT NULL, -- the invitation or the person
    code_hash  text        NOT NULL,
    tries_left integer     NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT proofs_pkey PRIMARY KEY (subject)
);
