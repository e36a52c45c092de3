-- The first schema. Claiming, listing and counting read `task` and its indexes only; contents lie elsewhere.

-- What a program must at least know to read or write this file; additive changes leave these as they are.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('min_reader', 1), ('min_writer', 1);

CREATE TABLE migration (
  version    INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  sha256     TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

-- One row that every transaction reads first and, if it changed, writes last.
CREATE TABLE tally (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  pending       INTEGER NOT NULL,  -- tasks in stages 0 and 1
  ended         INTEGER NOT NULL,  -- tasks in stages 3, 4 and 5
  last_seq      INTEGER NOT NULL,  -- the highest task number ever given out
  last_fact     INTEGER NOT NULL,  -- the highest fact number ever given out
  lanes_version INTEGER NOT NULL,
  fence_floor   INTEGER NOT NULL   -- no claim gets this fence or a lower one; a restore raises it, and so does a task that is deleted
) STRICT;
INSERT INTO tally VALUES (1, 0, 0, 0, 0, 0, 0);

-- One row from the first sweep on: what the clocks said when the calendar was last believed, and, while it is not,
-- what they said at the last look and for how many milliseconds the calendar has stood.
CREATE TABLE calendar (
  one             INTEGER PRIMARY KEY CHECK (one = 1),
  believed_at     INTEGER NOT NULL,
  believed_boot   INTEGER NOT NULL,
  believed_millis INTEGER NOT NULL,
  seen_at         INTEGER,
  seen_boot       INTEGER,
  seen_millis     INTEGER,
  stood           INTEGER
) STRICT;

CREATE TABLE lane (
  id        INTEGER PRIMARY KEY,
  task_type TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE host (
  no            INTEGER PRIMARY KEY,
  uuid          TEXT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  pid           INTEGER NOT NULL,
  version       TEXT NOT NULL,
  slot          INTEGER NOT NULL,
  standing      INTEGER NOT NULL,  -- 0 member, 1 left, 2 given up for dead
  joined_at     INTEGER NOT NULL,
  changed_at    INTEGER NOT NULL,
  lease_boot    INTEGER NOT NULL,
  lease_until   INTEGER NOT NULL,  -- milliseconds of that boot
  amnesty_until INTEGER NOT NULL,  -- until then it takes nothing over on the ground of a lease alone
  workers       TEXT               -- its last report, JSON
) STRICT;

CREATE TABLE task (
  seq           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL,
  id_is_given   INTEGER NOT NULL,
  lane          INTEGER NOT NULL,
  stage         INTEGER NOT NULL,  -- 0 ready, 1 waiting, 2 claimed, 3 completed, 4 poisoned, 5 cancelled
  priority      INTEGER NOT NULL,
  rank          INTEGER NOT NULL,  -- the smallest goes first
  due_at        INTEGER NOT NULL,  -- calendar, milliseconds
  due_boot      INTEGER,           -- store clock, for waits that the host chose
  due_millis    INTEGER,
  waiting_for   TEXT,
  poison        TEXT,
  fence         INTEGER NOT NULL,
  attempts      INTEGER NOT NULL,
  crashes       INTEGER NOT NULL,
  timeouts      INTEGER NOT NULL,
  lost          INTEGER NOT NULL,
  worker_broken INTEGER NOT NULL,
  deferrals     INTEGER NOT NULL,
  interruptions INTEGER NOT NULL,
  max_attempts  INTEGER,
  unique_key    TEXT,
  parent        TEXT,
  created_at    INTEGER NOT NULL,
  changed_at    INTEGER NOT NULL,
  cancel_wished INTEGER NOT NULL,
  last_attempt  INTEGER,           -- the head of its attempts
  -- of the claim:
  host          INTEGER,
  worker        TEXT,
  claimed_at    INTEGER,
  started       INTEGER,           -- whether the claiming host may have started an attempt
  lost_is_final INTEGER,
  -- of the claim that a dead host lost, until it is settled:
  lost_fence    INTEGER,
  lost_host     INTEGER,
  lost_started  INTEGER
) STRICT;

CREATE UNIQUE INDEX task_id ON task (id);
CREATE UNIQUE INDEX task_unique ON task (unique_key) WHERE unique_key IS NOT NULL AND stage <= 2;
CREATE INDEX task_ready ON task (lane, rank) WHERE stage = 0;
CREATE INDEX task_due ON task (due_at) WHERE stage = 1;
CREATE INDEX task_due_instant ON task (due_boot, due_millis) WHERE stage = 1 AND due_boot IS NOT NULL;
CREATE INDEX task_waiting ON task (lane, waiting_for, due_at, due_boot, due_millis) WHERE stage = 1;
CREATE INDEX task_claimed ON task (host, lane) WHERE stage = 2;
CREATE INDEX task_cancel ON task (host) WHERE stage = 2 AND cancel_wished = 1;
CREATE INDEX task_ended ON task (stage, changed_at, lane) WHERE stage >= 3;
CREATE INDEX task_given_up ON task (stage) WHERE stage >= 4;

CREATE TABLE payload (
  seq         INTEGER PRIMARY KEY,
  kind        INTEGER NOT NULL,    -- 0 JSON, 1 bytes, 2 JSON in a blob, 3 bytes in a blob
  body        ANY NOT NULL,        -- the content, or the blob's SHA-256
  size        INTEGER NOT NULL,
  metadata    TEXT,
  inputs      TEXT,                -- JSON array, NULL for none
  traceparent TEXT
) STRICT;

CREATE TABLE result (
  seq     INTEGER PRIMARY KEY,
  kind    INTEGER NOT NULL,
  body    ANY NOT NULL,
  size    INTEGER NOT NULL,
  partial INTEGER NOT NULL
) STRICT;

CREATE TABLE note (
  seq        INTEGER PRIMARY KEY,
  checkpoint TEXT,
  progress   TEXT                  -- JSON
) STRICT;

-- The settlement's fact and the attempt's record are one row. A task's attempts are a chain from its last one to its
-- first: a task has few, and an index of them would cost every settlement a page.
CREATE TABLE attempt (
  fact     INTEGER PRIMARY KEY,
  previous INTEGER,
  seq      INTEGER NOT NULL,
  fence    INTEGER NOT NULL,
  outcome  TEXT NOT NULL,
  stage    INTEGER NOT NULL,       -- the task's stage afterwards
  print    INTEGER NOT NULL,       -- tells the same settlement, sent again, from another one
  record   TEXT NOT NULL           -- JSON
) STRICT;

-- Claims that were given back without an attempt, each with the print of its settlement.
CREATE TABLE release (
  seq   INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  print INTEGER NOT NULL,
  PRIMARY KEY (seq, fence)
) STRICT, WITHOUT ROWID;

-- All other facts, numbered together with the attempts.
CREATE TABLE fact (
  no     INTEGER PRIMARY KEY,
  kind   INTEGER NOT NULL,         -- 0 enqueued, 1 wished for a task, 2 a worker is to resume
  a      INTEGER,                  -- 0: first seq; 1: seq
  b      INTEGER,                  -- 0: last seq; 1: stage afterwards
  worker TEXT
) STRICT;
CREATE INDEX fact_resume ON fact (no) WHERE kind = 2;

CREATE TABLE blob_ref (
  sha256 TEXT NOT NULL,
  seq    INTEGER NOT NULL,
  PRIMARY KEY (sha256, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_ref_of ON blob_ref (seq);
