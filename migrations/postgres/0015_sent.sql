-- By what the record of an intent is found in Sage when its answer was lost: the reference and the contact that were sent. Settings
-- may have changed both since. None in rows of older versions.

ALTER TABLE intents ADD COLUMN reference text;
ALTER TABLE intents ADD COLUMN contact_id text;
