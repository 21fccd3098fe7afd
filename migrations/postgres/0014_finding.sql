-- The newest of what a person looks for, without sorting all of it.
DROP INDEX runs_sage_reference;
DROP INDEX runs_sage_id;
DROP INDEX runs_email;
CREATE INDEX runs_sage_reference ON runs (organisation_id, sage_reference, id) WHERE sage_reference IS NOT NULL;
CREATE INDEX runs_sage_id ON runs (organisation_id, sage_id, id) WHERE sage_id IS NOT NULL;
CREATE INDEX runs_email ON runs (organisation_id, email_digest, id) WHERE email_digest IS NOT NULL;
