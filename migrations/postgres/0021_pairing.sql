-- One shop per Sage business. Of shops that share one, the oldest that works keeps it; the others are to choose a business again,
-- and say why. Nothing is lost with that: cross-references are kept by business.

UPDATE bindings SET business_id = NULL, business_name = NULL, business_country = NULL, status = 'pending', refusal = 'business_shared'
 WHERE id IN (SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY business_id ORDER BY status <> 'active', created_at, id) AS place
          FROM bindings WHERE status <> 'revoked' AND business_id IS NOT NULL) AS shared
      WHERE place > 1);

CREATE UNIQUE INDEX bindings_business ON bindings (business_id) WHERE status <> 'revoked';

-- What a shop did while it was not paired is looked for by its ids: one search a binding, the newest.
CREATE TABLE backfills (
    binding_id      uuid        NOT NULL,
    begun_at        timestamptz NOT NULL, -- a search that was begun again is another one
    made_since      timestamptz NOT NULL, -- where no id is known: documents made before it are not looked for
    stage           text        NOT NULL,
    next_invoice    bigint,               -- the next id; NULL: the first one made since then is to be found
    next_creditmemo bigint,
    below_invoice   bigint,               -- known open invoices below this id are still to be looked at; NULL: all
    misses          bigint      NOT NULL, -- ids without a document, one after another
    looked_at       bigint      NOT NULL, -- known open invoices
    found           bigint      NOT NULL,
    queued          bigint      NOT NULL,
    code            text,                 -- why it rests
    next_at         timestamptz NOT NULL,
    ended_at        timestamptz,
    CONSTRAINT backfills_pkey PRIMARY KEY (binding_id),
    CONSTRAINT backfills_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE INDEX backfills_open ON backfills (next_at) WHERE ended_at IS NULL;
