-- Version 2: one incident for all rungs on which a pool stands, whatever they go by.

ALTER TABLE incidents ADD COLUMN nearest TEXT;           -- the least distance, a fraction
ALTER TABLE incidents ADD COLUMN nearest_at TEXT;
ALTER TABLE incidents ADD COLUMN alarms TEXT NOT NULL DEFAULT '[]';    -- rungs, as a JSON list
ALTER TABLE incidents ADD COLUMN accepted TEXT NOT NULL DEFAULT '[]';  -- likewise
ALTER TABLE incidents ADD COLUMN accepted_distance TEXT;

UPDATE incidents SET nearest = worst, nearest_at = worst_at, worst = NULL, worst_at = NULL
  WHERE subject = 'liquidation near';

-- Of a pool with both kinds open, the one on ratio goes on; told was of both.
UPDATE incidents SET resolved_at = changed_at, rung = NULL
  WHERE subject = 'liquidation near' AND resolved_at IS NULL AND EXISTS (
    SELECT 1 FROM incidents AS other
      WHERE other.subject = 'ratio' AND other.resolved_at IS NULL
        AND other.account = incidents.account AND other.pool IS incidents.pool
  );

-- The rungs told of an open incident were reached one after the other: all up to the present one.
UPDATE incidents SET alarms = told
  WHERE subject IN ('ratio', 'liquidation near') AND resolved_at IS NULL AND rung IS NOT NULL;

UPDATE incidents SET subject = 'standing' WHERE subject IN ('ratio', 'liquidation near');
