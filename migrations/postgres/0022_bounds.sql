-- What a token was used for: the same request again is answered with its run, anything else is refused.
ALTER TABLE seen_tokens ADD COLUMN request text, ADD COLUMN run_id uuid;
