-- What a token was used for: the same request again is answered with its run, anything else is refused.
ALTER TABLE seen_tokens ADD COLUMN request TEXT;
ALTER TABLE seen_tokens ADD COLUMN run_id TEXT;
