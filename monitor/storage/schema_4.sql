-- Version 4: what the monitor remembers of itself.

-- Starts of the process that did not end in order, yet or ever.
CREATE TABLE starts (
  at TEXT PRIMARY KEY
) STRICT;

-- What it last said of itself and still holds (a channel that refuses), or may not be said again
-- too soon: the name of the notice, without its time.
CREATE TABLE said (
  name TEXT PRIMARY KEY,
  at   TEXT NOT NULL
) STRICT;
