-- The house runs pipelines by itself: what it decided, which runs wait, whom it tells, and figures that are kept as runs end.

CREATE TABLE schedules (
    pipeline      TEXT    NOT NULL PRIMARY KEY,
    -- until when, included, the times of the schedule were decided on
    decided_until INTEGER,
    paused_at     INTEGER,
    paused_by     TEXT,
    paused_reason TEXT,
    CHECK ((paused_at IS NULL) = (paused_by IS NULL)),
    CHECK ((paused_at IS NULL) = (paused_reason IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE queue (
    run            TEXT    NOT NULL PRIMARY KEY CHECK (length(run) = 36),
    pipeline       TEXT    NOT NULL,
    "trigger"      TEXT    NOT NULL
        CHECK ("trigger" IN ('schedule', 'manual', 'dependency', 'backfill', 'rerun', 'replay')),
    nominal        INTEGER,
    interval_start INTEGER NOT NULL,
    interval_end   INTEGER NOT NULL,
    queued_at      INTEGER NOT NULL,
    ready_at       INTEGER NOT NULL,
    priority       INTEGER NOT NULL,
    pool           TEXT,
    repeats        TEXT,
    options        TEXT    NOT NULL CHECK (json_valid(options)),
    state          TEXT    NOT NULL CHECK (state IN ('waiting', 'started', 'ended', 'refused', 'dropped')),
    reason         TEXT    NOT NULL,
    started_at     INTEGER,
    settled_at     INTEGER,
    CHECK ((state IN ('waiting', 'started')) = (settled_at IS NULL)),
    CHECK (state <> 'waiting' OR started_at IS NULL),
    CHECK (state <> 'started' OR started_at IS NOT NULL),
    CHECK ("trigger" <> 'schedule' OR nominal IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_open ON queue (priority DESC, ready_at, queued_at, run) WHERE state IN ('waiting', 'started');

-- What made runs join the queue, so that it makes no other: a time of a schedule, an interval of a dependency, or a key.
-- Outlives the queue's own rows.
CREATE TABLE fires (
    pipeline TEXT    NOT NULL,
    cause    TEXT    NOT NULL CHECK (cause IN ('schedule', 'dependency', 'once')),
    what     TEXT    NOT NULL,
    run      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (pipeline, cause, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE house_events (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    pipeline TEXT,
    kind     TEXT    NOT NULL,
    body     TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX house_events_by_pipeline ON house_events (pipeline, id);

CREATE TABLE alerts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline   TEXT    NOT NULL,
    run        TEXT,
    -- the run, or what takes its place
    about      TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('failure', 'recovery', 'deadline', 'late', 'monitor', 'quarantine')),
    target     TEXT    NOT NULL,
    body       TEXT    NOT NULL CHECK (json_valid(body)),
    queued_at  INTEGER NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'given-up')),
    attempts   INTEGER NOT NULL CHECK (attempts >= 0),
    next_at    INTEGER,
    settled_at INTEGER,
    error      TEXT,
    UNIQUE (pipeline, about, kind, target),
    CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
    CHECK ((state = 'waiting') = (settled_at IS NULL)),
    CHECK (state <> 'given-up' OR error IS NOT NULL)
) STRICT;
CREATE INDEX alerts_due ON alerts (next_at) WHERE state = 'waiting';
CREATE INDEX alerts_by_pipeline ON alerts (pipeline, id);

-- Events get a place among those of all runs, so that whoever follows them knows what is new.
CREATE TABLE events_4 (
    id       INTEGER PRIMARY KEY,
    run      TEXT    NOT NULL REFERENCES runs (id),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    at       INTEGER NOT NULL,
    body     TEXT    NOT NULL CHECK (json_valid(body)),
    UNIQUE (run, sequence)
) STRICT;
INSERT INTO events_4 (run, sequence, at, body) SELECT run, sequence, at, body FROM events ORDER BY run, sequence;
DROP TABLE events;
ALTER TABLE events_4 RENAME TO events;

ALTER TABLE runs ADD COLUMN repeats TEXT;
ALTER TABLE runs ADD COLUMN bytes_read INTEGER NOT NULL DEFAULT 0 CHECK (bytes_read >= 0);
ALTER TABLE runs ADD COLUMN bytes_loaded INTEGER NOT NULL DEFAULT 0 CHECK (bytes_loaded >= 0);
UPDATE runs SET repeats = (SELECT json_extract(body, '$.repeats') FROM events WHERE run = runs.id AND sequence = 0);
CREATE TEMP TABLE stage_bytes (run TEXT PRIMARY KEY, bytes_read INTEGER, bytes_loaded INTEGER);
INSERT INTO stage_bytes
    SELECT first.run,
        sum(CASE json_extract(stage.value, '$.kind') WHEN 'extract'
            THEN coalesce(json_extract(later.body, '$.outcome."bytes-out"'), 0) ELSE 0 END),
        sum(CASE json_extract(stage.value, '$.kind') WHEN 'load'
            THEN coalesce(json_extract(later.body, '$.outcome."bytes-in"'), 0) ELSE 0 END)
    FROM events AS first, json_each(first.body, '$.stages') AS stage
        JOIN events AS later ON later.run = first.run
            AND json_extract(later.body, '$.stage') = json_extract(stage.value, '$.name')
            AND json_extract(later.body, '$.outcome') IS NOT NULL
    WHERE first.sequence = 0
    GROUP BY first.run;
UPDATE runs SET
    bytes_read = coalesce((SELECT stage_bytes.bytes_read FROM temp.stage_bytes WHERE run = runs.id), 0),
    bytes_loaded = CASE state WHEN 'succeeded'
        THEN coalesce((SELECT stage_bytes.bytes_loaded FROM temp.stage_bytes WHERE run = runs.id), 0) ELSE 0 END;
DROP TABLE temp.stage_bytes;

-- Runs are listed in the order in which they were made, which is that of the table's own numbers.
DROP INDEX runs_by_pipeline;
CREATE INDEX runs_by_pipeline ON runs (pipeline);
CREATE INDEX runs_by_outcome ON runs (pipeline, state, ended_at);
CREATE INDEX runs_by_interval ON runs (pipeline, interval_start, interval_end);
CREATE INDEX runs_by_repeats ON runs (repeats) WHERE repeats IS NOT NULL;
CREATE INDEX quarantine_open ON quarantine (run, rows) WHERE dealt IS NULL;

-- Sums over the runs that have ended; a run adds to them with its last event. A run that was abandoned counts as crashed.
CREATE TABLE run_totals (
    pipeline         TEXT    NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('succeeded', 'failed', 'cancelled', 'crashed')),
    runs             INTEGER NOT NULL CHECK (runs > 0),
    rows_read        INTEGER NOT NULL,
    rows_loaded      INTEGER NOT NULL,
    rows_rejected    INTEGER NOT NULL,
    rows_quarantined INTEGER NOT NULL,
    bytes_read       INTEGER NOT NULL,
    bytes_loaded     INTEGER NOT NULL,
    last_ended_at    INTEGER NOT NULL,
    PRIMARY KEY (pipeline, state)
) STRICT, WITHOUT ROWID;
INSERT INTO run_totals
    SELECT pipeline, state, count(*), sum(min(rows_read, 1 << 53)), sum(min(rows_loaded, 1 << 53)),
        sum(min(rows_rejected, 1 << 53)), sum(min(rows_quarantined, 1 << 53)), sum(min(bytes_read, 1 << 53)),
        sum(min(bytes_loaded, 1 << 53)), max(ended_at)
    FROM runs
    WHERE state IN ('succeeded', 'failed', 'cancelled') OR (state = 'crashed' AND abandoned_at IS NOT NULL)
    GROUP BY pipeline, state;

-- How long runs took that had started: how many took at most so many nanoseconds, and longer than the bound below it.
CREATE TABLE run_durations (
    pipeline    TEXT    NOT NULL,
    at_most     INTEGER NOT NULL,
    runs        INTEGER NOT NULL CHECK (runs > 0),
    nanoseconds INTEGER NOT NULL,
    PRIMARY KEY (pipeline, at_most)
) STRICT, WITHOUT ROWID;
WITH bounds (at_most) AS (VALUES (5000000), (10000000), (25000000), (50000000), (100000000), (250000000), (500000000),
        (1000000000), (2500000000), (5000000000), (10000000000), (30000000000), (60000000000), (300000000000),
        (900000000000), (3600000000000), (14400000000000), (86400000000000), (9223372036854775807)),
    took (pipeline, nanoseconds) AS (
        SELECT pipeline, min(max(ended_at - started_at, 0), 1 << 53) FROM runs
        WHERE started_at IS NOT NULL
            AND (state IN ('succeeded', 'failed', 'cancelled') OR (state = 'crashed' AND abandoned_at IS NOT NULL)))
INSERT INTO run_durations
    SELECT pipeline, (SELECT min(at_most) FROM bounds WHERE at_most >= nanoseconds) AS bound, count(*), sum(nanoseconds)
    FROM took GROUP BY pipeline, bound;
