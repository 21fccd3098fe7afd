-- What a create needs so that nothing is made twice after a refusal, an empty search or a change of settings: the call exactly as it
-- was sent (sealed, until its run has ended), when a request went out last that may still land, and whether a draft is being deleted.

ALTER TABLE intents ADD COLUMN sealed_call text;
ALTER TABLE intents ADD COLUMN unanswered_at timestamptz;
ALTER TABLE intents ADD COLUMN withdrawn boolean NOT NULL DEFAULT false;

UPDATE intents SET unanswered_at = updated_at WHERE state = 'open';

CREATE INDEX intents_sealed ON intents (binding_id, business_id, kind, magento_key) WHERE sealed_call IS NOT NULL;
