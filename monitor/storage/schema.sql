-- Version 1. Times are UTC, ISO 8601 with microseconds, so that they sort as text.
-- Decimals are text, so that they come back to the last digit.

CREATE TABLE incidents (
  id             TEXT PRIMARY KEY,
  account        TEXT NOT NULL,
  pool           TEXT,            -- the pool's name within the account; NULL: the whole account
  subject        TEXT NOT NULL,
  severity       TEXT NOT NULL,
  worst_severity TEXT NOT NULL,
  rung           TEXT,
  opened_at      TEXT NOT NULL,
  changed_at     TEXT NOT NULL,
  worst          TEXT,
  worst_at       TEXT,
  spoken_at      TEXT,
  resolved_at    TEXT,            -- NULL: still open
  because        TEXT NOT NULL,
  openings       TEXT NOT NULL,   -- times, with blanks between
  told           TEXT NOT NULL    -- the reasons spoken of, as a JSON list
) STRICT;

CREATE INDEX incidents_open ON incidents (account) WHERE resolved_at IS NULL;

-- One row per message and channel. `settled_at` is when nothing more was to be done for it.
CREATE TABLE outbox (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  notification_id TEXT NOT NULL,
  channel         TEXT NOT NULL,
  incident_id     TEXT NOT NULL,
  account         TEXT NOT NULL,
  severity        TEXT NOT NULL,
  step            TEXT,
  title           TEXT NOT NULL,
  body            TEXT NOT NULL,
  created_at      TEXT NOT NULL,
  useful_until    TEXT NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0,
  not_before      TEXT,            -- the wait that the receiver asked for
  last_error      TEXT,
  settled_at      TEXT,
  outcome         TEXT CHECK (outcome IN ('delivered', 'superseded', 'expired', 'abandoned')),
  UNIQUE (notification_id, channel),
  CHECK ((settled_at IS NULL) = (outcome IS NULL))
) STRICT;

CREATE INDEX outbox_unsettled ON outbox (channel, id) WHERE settled_at IS NULL;

CREATE TABLE samples (
  id                 INTEGER PRIMARY KEY,
  account            TEXT NOT NULL,
  pool               TEXT NOT NULL,
  at                 TEXT NOT NULL,
  unit               TEXT NOT NULL,
  state              TEXT NOT NULL,
  margin_balance     TEXT NOT NULL,
  maintenance_margin TEXT NOT NULL,
  margin_ratio       TEXT NOT NULL
) STRICT;

CREATE INDEX samples_by_time ON samples (at);

-- Accounts of which a figure was given once: a restart must not leave them unwatched.
CREATE TABLE watched (
  account TEXT PRIMARY KEY,
  since   TEXT NOT NULL
) STRICT;
