-- Version 1. Times are ISO 8601 in UTC, numbers that count are decimal text, `body` is JSON.

CREATE TABLE incidents (
  id          TEXT PRIMARY KEY,
  account     TEXT NOT NULL,
  opened_at   TEXT NOT NULL,
  resolved_at TEXT,
  body        TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_open ON incidents (account) WHERE resolved_at IS NULL;

CREATE TABLE outbox (
  number          INTEGER PRIMARY KEY AUTOINCREMENT,
  channel         TEXT NOT NULL,
  notification_id TEXT NOT NULL,
  incident_id     TEXT NOT NULL,
  account         TEXT NOT NULL,
  severity        TEXT NOT NULL,
  step            TEXT,
  title           TEXT NOT NULL,
  message         TEXT NOT NULL,
  created_at      TEXT NOT NULL,
  useful_until    TEXT NOT NULL,
  -- waiting, delivered, superseded, expired, refused
  state           TEXT NOT NULL DEFAULT 'waiting',
  attempts        INTEGER NOT NULL DEFAULT 0,
  settled_at      TEXT,
  because         TEXT NOT NULL DEFAULT '',
  UNIQUE (channel, notification_id)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (channel, number) WHERE state = 'waiting';

CREATE TABLE history (
  at      TEXT NOT NULL,
  account TEXT NOT NULL,
  pool    TEXT NOT NULL,
  ratio   TEXT NOT NULL,
  state   TEXT NOT NULL
) STRICT;
CREATE INDEX history_by_pool ON history (account, pool, at);

CREATE TABLE watched (
  account TEXT PRIMARY KEY,
  since   TEXT NOT NULL
) STRICT;
