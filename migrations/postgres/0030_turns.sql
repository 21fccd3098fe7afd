-- What Sage was sent may be why it was silent: after such a rest another run goes first.
ALTER TABLE rests ADD COLUMN by_turns boolean NOT NULL DEFAULT false;
