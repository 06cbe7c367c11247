-- A list behind IN is a table of its own each time that a row is written: SQLite makes one for the statement, with a cache of pages,
-- and throws it away. The same conditions without lists. Only constraints change, so that the rows stay as they are; see "Making Other
-- Kinds Of Table Schema Changes" in SQLite's documentation of ALTER TABLE.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql,
    'state            TEXT    NOT NULL CHECK (state IN
                         (''queued'', ''running'', ''committing'', ''succeeded'', ''failed'', ''cancelled'', ''crashed'')),',
    'state            TEXT    NOT NULL CHECK (state = ''queued'' OR state = ''running'' OR state = ''committing'' OR state = ''succeeded'' OR state = ''failed'' OR state = ''cancelled'' OR state = ''crashed''),')
    WHERE type = 'table' AND name = 'runs';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK ("trigger" IN (''schedule'', ''manual'', ''dependency'', ''backfill'', ''rerun'', ''replay''))',
    'CHECK ("trigger" = ''schedule'' OR "trigger" = ''manual'' OR "trigger" = ''dependency'' OR "trigger" = ''backfill'' OR "trigger" = ''rerun'' OR "trigger" = ''replay'')')
    WHERE type = 'table' AND name = 'runs';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK ((state IN (''queued'', ''running'', ''committing'')) = (ended_at IS NULL))',
    'CHECK ((state = ''queued'' OR state = ''running'' OR state = ''committing'') = (ended_at IS NULL))')
    WHERE type = 'table' AND name = 'runs';
UPDATE sqlite_schema SET sql = replace(sql,
    'state NOT IN (''running'', ''committing'', ''succeeded'')',
    '(state <> ''running'' AND state <> ''committing'' AND state <> ''succeeded'')')
    WHERE type = 'table' AND name = 'runs';
UPDATE sqlite_schema SET sql = replace(sql,
    'level IN (''debug'', ''info'', ''warn'', ''error'')',
    'level = ''debug'' OR level = ''info'' OR level = ''warn'' OR level = ''error''')
    WHERE type = 'table' AND name = 'logs';
UPDATE sqlite_schema SET sql = replace(sql,
    'source IN (''log'', ''stdout'', ''stderr'', ''host'')',
    'source = ''log'' OR source = ''stdout'' OR source = ''stderr'' OR source = ''host''')
    WHERE type = 'table' AND name = 'logs';
UPDATE sqlite_schema SET sql = replace(sql,
    'kind IN (''rejected'', ''poison'', ''record'')',
    'kind = ''rejected'' OR kind = ''poison'' OR kind = ''record''')
    WHERE type = 'table' AND name = 'quarantine';
UPDATE sqlite_schema SET sql = replace(sql,
    'kind IN (''rejected'', ''poison'', ''record'')',
    'kind = ''rejected'' OR kind = ''poison'' OR kind = ''record''')
    WHERE type = 'table' AND name = 'quarantine_reasons';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK ("trigger" IN (''schedule'', ''manual'', ''dependency'', ''backfill'', ''rerun'', ''replay''))',
    'CHECK ("trigger" = ''schedule'' OR "trigger" = ''manual'' OR "trigger" = ''dependency'' OR "trigger" = ''backfill'' OR "trigger" = ''rerun'' OR "trigger" = ''replay'')')
    WHERE type = 'table' AND name = 'queue';
UPDATE sqlite_schema SET sql = replace(sql,
    'CHECK (state IN (''waiting'', ''started'', ''ended'', ''refused'', ''dropped''))',
    'CHECK (state = ''waiting'' OR state = ''started'' OR state = ''ended'' OR state = ''refused'' OR state = ''dropped'')')
    WHERE type = 'table' AND name = 'queue';
UPDATE sqlite_schema SET sql = replace(sql,
    'cause IN (''schedule'', ''dependency'', ''once'')',
    'cause = ''schedule'' OR cause = ''dependency'' OR cause = ''once''')
    WHERE type = 'table' AND name = 'fires';
UPDATE sqlite_schema SET sql = replace(sql,
    'kind IN (''failure'', ''recovery'', ''deadline'', ''late'', ''monitor'', ''quarantine'')',
    'kind = ''failure'' OR kind = ''recovery'' OR kind = ''deadline'' OR kind = ''late'' OR kind = ''monitor'' OR kind = ''quarantine''')
    WHERE type = 'table' AND name = 'alerts';
UPDATE sqlite_schema SET sql = replace(sql,
    'state IN (''waiting'', ''delivered'', ''given-up'')',
    'state = ''waiting'' OR state = ''delivered'' OR state = ''given-up''')
    WHERE type = 'table' AND name = 'alerts';
UPDATE sqlite_schema SET sql = replace(sql,
    'state IN (''succeeded'', ''failed'', ''cancelled'', ''crashed'')',
    'state = ''succeeded'' OR state = ''failed'' OR state = ''cancelled'' OR state = ''crashed''')
    WHERE type = 'table' AND name = 'run_totals';
PRAGMA writable_schema = RESET;

DROP TRIGGER runs_go_forward;
CREATE TRIGGER runs_go_forward BEFORE UPDATE ON runs BEGIN
    SELECT raise(ABORT, 'a run that has ended does not change')
        WHERE OLD.state = 'succeeded' OR OLD.state = 'failed' OR OLD.state = 'cancelled' OR OLD.abandoned_at IS NOT NULL;
    SELECT raise(ABORT, 'a run does not go back')
        WHERE CASE NEW.state WHEN 'queued' THEN 0 WHEN 'running' THEN 1 WHEN 'committing' THEN 2 WHEN 'crashed' THEN 3 ELSE 4 END
            < CASE OLD.state WHEN 'queued' THEN 0 WHEN 'running' THEN 1 WHEN 'committing' THEN 2 WHEN 'crashed' THEN 3 ELSE 4 END;
    SELECT raise(ABORT, 'what a run has begun with does not change')
        WHERE NEW.id <> OLD.id OR NEW.pipeline <> OLD.pipeline OR NEW."trigger" <> OLD."trigger"
            OR NEW.interval_start <> OLD.interval_start OR NEW.interval_end <> OLD.interval_end
            OR NEW.queued_at <> OLD.queued_at OR NEW.load_key IS NOT OLD.load_key;
    SELECT raise(ABORT, 'when a run started and decided to commit does not change')
        WHERE (OLD.started_at IS NOT NULL AND NEW.started_at IS NOT OLD.started_at)
            OR (OLD.committing_at IS NOT NULL AND NEW.committing_at IS NOT OLD.committing_at);
    SELECT raise(ABORT, 'a run that has crashed starts and decides no more')
        WHERE OLD.state = 'crashed'
            AND (NEW.started_at IS NOT OLD.started_at OR NEW.committing_at IS NOT OLD.committing_at);
    SELECT raise(ABORT, 'only a crashed run is abandoned')
        WHERE NEW.abandoned_at IS NOT NULL AND NEW.state <> 'crashed';
    SELECT raise(ABORT, 'only a run that has started commits')
        WHERE NEW.committing_at IS NOT NULL AND NEW.started_at IS NULL;
    SELECT raise(ABORT, 'only a run that has succeeded has loaded rows')
        WHERE NEW.state <> 'succeeded' AND (NEW.rows_loaded <> 0 OR NEW.bytes_loaded <> 0);
END;

DROP TRIGGER events_are_appended;
CREATE TRIGGER events_are_appended BEFORE INSERT ON events BEGIN
    SELECT raise(ABORT, 'a journal begins with run-queued, and only begins so')
        WHERE (NEW.sequence = 0) <> (json_extract(NEW.body, '$.event') IS 'run-queued');
    SELECT raise(ABORT, 'an event is missing before this one')
        WHERE NEW.sequence > 0
            AND NOT EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND sequence = NEW.sequence - 1);
    SELECT raise(ABORT, 'no event follows the end of a run')
        WHERE EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND sequence = NEW.sequence - 1
            AND CASE json_extract(body, '$.event')
                WHEN 'run-succeeded' THEN 1 WHEN 'run-failed' THEN 1 WHEN 'run-cancelled' THEN 1 WHEN 'run-abandoned' THEN 1 ELSE 0 END);
END;

DROP INDEX runs_unfinished;
CREATE INDEX runs_unfinished ON runs (queued_at) WHERE (state = 'crashed' OR ended_at IS NULL) AND abandoned_at IS NULL;
