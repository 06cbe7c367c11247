-- A crashed run may be left as it is; a bookmark may be set by hand; what was set aside may have been dealt with.
ALTER TABLE runs ADD COLUMN abandoned_at INTEGER;
ALTER TABLE runs ADD COLUMN load_key TEXT;
CREATE INDEX runs_by_load_key ON runs (load_key);
CREATE INDEX runs_unfinished ON runs (queued_at)
    WHERE state IN ('queued', 'running', 'committing', 'crashed') AND abandoned_at IS NULL;

CREATE TABLE bookmarks_2 (
    pipeline TEXT    NOT NULL,
    stage    TEXT    NOT NULL,
    bookmark TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    -- none: it was set by hand
    run      TEXT    REFERENCES runs (id),
    PRIMARY KEY (pipeline, stage)
) STRICT, WITHOUT ROWID;
INSERT INTO bookmarks_2 (pipeline, stage, bookmark, at, run)
    SELECT bookmarks.pipeline, stage, bookmark, coalesce(committing_at, queued_at), run
    FROM bookmarks JOIN runs ON runs.id = run;
DROP TABLE bookmarks;
ALTER TABLE bookmarks_2 RENAME TO bookmarks;

ALTER TABLE quarantine ADD COLUMN dealt TEXT CHECK (dealt IN ('replayed', 'dropped'));
ALTER TABLE quarantine ADD COLUMN dealt_by TEXT;
