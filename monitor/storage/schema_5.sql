-- Version 5: what was told within an hour counts after a restart, and a wait is no longer than it
-- was asked to be, however the clock was set since.

-- A JSON list of time, step, cost and highest rung; NULL: kept by a version that noted none.
ALTER TABLE incidents ADD COLUMN words TEXT;

ALTER TABLE quiet ADD COLUMN asked_at TEXT;  -- NULL: by a version that did not keep it
