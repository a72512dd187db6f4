-- Version 3. Until when a host wants to hear nothing from this machine.

CREATE TABLE quiet (
  host  TEXT PRIMARY KEY,
  until TEXT NOT NULL
) STRICT;
