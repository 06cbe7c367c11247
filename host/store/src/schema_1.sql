-- Times are nanoseconds since 1970-01-01T00:00:00Z.

-- What the events of each run fold into; written with them, never by itself.
CREATE TABLE runs (
    id               TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    pipeline         TEXT    NOT NULL,
    trigger          TEXT    NOT NULL CHECK (trigger IN ('schedule', 'manual', 'dependency', 'backfill', 'rerun')),
    interval_start   INTEGER NOT NULL,
    interval_end     INTEGER NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN
                         ('queued', 'running', 'committing', 'succeeded', 'failed', 'cancelled', 'crashed')),
    queued_at        INTEGER NOT NULL,
    started_at       INTEGER,
    committing_at    INTEGER,
    ended_at         INTEGER,
    rows_read        INTEGER NOT NULL CHECK (rows_read >= 0),
    rows_loaded      INTEGER NOT NULL CHECK (rows_loaded >= 0),
    rows_rejected    INTEGER NOT NULL CHECK (rows_rejected >= 0),
    rows_quarantined INTEGER NOT NULL CHECK (rows_quarantined >= 0),
    fault            TEXT    CHECK (fault IS NULL OR json_valid(fault)),
    CHECK ((state IN ('queued', 'running', 'committing')) = (ended_at IS NULL)),
    CHECK (state <> 'queued' OR started_at IS NULL),
    CHECK (state NOT IN ('running', 'committing', 'succeeded') OR started_at IS NOT NULL),
    CHECK (state NOT IN ('committing', 'succeeded') OR committing_at IS NOT NULL),
    CHECK (state NOT IN ('failed', 'cancelled') OR committing_at IS NULL),
    CHECK (state <> 'failed' OR fault IS NOT NULL)
) STRICT;
CREATE INDEX runs_by_pipeline ON runs (pipeline, queued_at);
CREATE INDEX runs_by_time ON runs (queued_at);

CREATE TABLE events (
    run      TEXT    NOT NULL REFERENCES runs (id),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    at       INTEGER NOT NULL,
    body     TEXT    NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (run, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE bookmarks (
    pipeline TEXT NOT NULL,
    stage    TEXT NOT NULL,
    bookmark TEXT NOT NULL,
    run      TEXT NOT NULL REFERENCES runs (id),
    PRIMARY KEY (pipeline, stage)
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
    id      INTEGER PRIMARY KEY,
    run     TEXT    NOT NULL,
    stage   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    level   TEXT    NOT NULL CHECK (level IN ('debug', 'info', 'warn', 'error')),
    source  TEXT    NOT NULL CHECK (source IN ('log', 'stdout', 'stderr', 'host')),
    message TEXT    NOT NULL
) STRICT;
CREATE INDEX logs_by_run ON logs (run, id);

-- One row for each time that rows were set aside. Rows stand in a file, as batch number `batch` of its stream; records
-- that could not be made rows stand here.
CREATE TABLE quarantine (
    id      INTEGER PRIMARY KEY,
    run     TEXT    NOT NULL,
    stage   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('rejected', 'poison', 'record')),
    rows    INTEGER NOT NULL CHECK (rows >= 0),
    file    TEXT,
    batch   INTEGER CHECK (batch >= 0),
    fault   TEXT    CHECK (fault IS NULL OR json_valid(fault)),
    records TEXT    CHECK (records IS NULL OR json_valid(records)),
    CHECK ((kind = 'record') = (records IS NOT NULL)),
    CHECK ((kind = 'record') = (file IS NULL)),
    CHECK ((file IS NULL) = (batch IS NULL)),
    CHECK ((kind = 'poison') = (fault IS NOT NULL))
) STRICT;
CREATE INDEX quarantine_by_run ON quarantine (run, id);

CREATE TABLE quarantine_reasons (
    run    TEXT    NOT NULL,
    stage  TEXT    NOT NULL,
    kind   TEXT    NOT NULL CHECK (kind IN ('rejected', 'poison', 'record')),
    reason TEXT    NOT NULL,
    rows   INTEGER NOT NULL CHECK (rows > 0),
    PRIMARY KEY (run, stage, kind, reason)
) STRICT, WITHOUT ROWID;
