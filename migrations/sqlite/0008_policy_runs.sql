-- Which runs stand under a version of the settings.

CREATE INDEX runs_policy ON runs (binding_id, policy_version, id);
