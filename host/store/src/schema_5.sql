-- What `RunRecord::apply` refuses, as far as tables can tell: a second guard for whoever writes to them by another way.

-- Of what a run's row holds only together; checked for updates, too, since those of the store are inserts that update.
CREATE TRIGGER runs_hold BEFORE INSERT ON runs BEGIN
    SELECT raise(ABORT, 'only a crashed run is abandoned')
        WHERE NEW.abandoned_at IS NOT NULL AND NEW.state <> 'crashed';
    SELECT raise(ABORT, 'only a run that has started commits')
        WHERE NEW.committing_at IS NOT NULL AND NEW.started_at IS NULL;
    SELECT raise(ABORT, 'only a run that has succeeded has loaded rows')
        WHERE NEW.state <> 'succeeded' AND (NEW.rows_loaded <> 0 OR NEW.bytes_loaded <> 0);
END;

-- A run only goes forward. One call may append several events, so that a state may be passed over.
CREATE TRIGGER runs_go_forward BEFORE UPDATE ON runs BEGIN
    SELECT raise(ABORT, 'a run that has ended does not change')
        WHERE OLD.state IN ('succeeded', 'failed', 'cancelled') OR OLD.abandoned_at IS NOT NULL;
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

CREATE TRIGGER runs_stay BEFORE DELETE ON runs WHEN EXISTS (SELECT 1 FROM events WHERE run = OLD.id) BEGIN
    SELECT raise(ABORT, 'a run with events is not deleted');
END;

-- The journal is only appended to: event by event, from `run-queued` to an end.
CREATE TRIGGER events_are_appended BEFORE INSERT ON events BEGIN
    SELECT raise(ABORT, 'a journal begins with run-queued, and only begins so')
        WHERE (NEW.sequence = 0) <> (json_extract(NEW.body, '$.event') IS 'run-queued');
    SELECT raise(ABORT, 'an event is missing before this one')
        WHERE NEW.sequence > 0
            AND NOT EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND sequence = NEW.sequence - 1);
    SELECT raise(ABORT, 'no event follows the end of a run')
        WHERE EXISTS (SELECT 1 FROM events WHERE run = NEW.run AND sequence = NEW.sequence - 1
            AND json_extract(body, '$.event') IN ('run-succeeded', 'run-failed', 'run-cancelled', 'run-abandoned'));
END;

CREATE TRIGGER events_do_not_change BEFORE UPDATE ON events BEGIN
    SELECT raise(ABORT, 'an event does not change');
END;

CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN
    SELECT raise(ABORT, 'an event is not deleted');
END;

-- A bookmark moves only with its data, or by hand.
CREATE TRIGGER bookmarks_move_with_data BEFORE INSERT ON bookmarks
WHEN NEW.run IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs WHERE id = NEW.run AND committing_at IS NOT NULL) BEGIN
    SELECT raise(ABORT, 'only a run that commits moves a bookmark');
END;

CREATE TRIGGER bookmarks_are_moved_with_data BEFORE UPDATE ON bookmarks
WHEN NEW.run IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs WHERE id = NEW.run AND committing_at IS NOT NULL) BEGIN
    SELECT raise(ABORT, 'only a run that commits moves a bookmark');
END;
