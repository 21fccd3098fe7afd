-- Sage businesses and shops that do not answer rest: claims pass over them, and nothing of it is written in the runs.

CREATE TABLE rests (
    side  text        NOT NULL, -- sage or magento
    id    text        NOT NULL, -- Sage's id of the business, or the binding's
    code  text        NOT NULL, -- why
    since timestamptz NOT NULL, -- of the first in a row
    until timestamptz NOT NULL,
    rests integer     NOT NULL, -- in a row
    CONSTRAINT rests_pkey PRIMARY KEY (side, id)
);

-- Settings were saved, and more runs wait for them than were let go on with the save.
ALTER TABLE bindings ADD COLUMN releases_held boolean NOT NULL DEFAULT false;
CREATE INDEX bindings_releasing ON bindings (id) WHERE releases_held;

-- What waits for its shop stays queued: the status of the shop says that it waits, and a change of it touches no runs.
UPDATE runs SET status = 'queued', code = NULL, message = NULL, cause = NULL
 WHERE status = 'waiting' AND code IN ('binding_pending', 'binding_paused', 'binding_needs_reauth', 'binding_revoked');
