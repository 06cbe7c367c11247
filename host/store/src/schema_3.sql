-- A replay is a trigger, too. The constraint of a column can only be changed with the column.
ALTER TABLE runs ADD COLUMN trigger_3 TEXT NOT NULL DEFAULT 'manual'
    CHECK (trigger_3 IN ('schedule', 'manual', 'dependency', 'backfill', 'rerun', 'replay'));
UPDATE runs SET trigger_3 = "trigger";
ALTER TABLE runs DROP COLUMN "trigger";
ALTER TABLE runs RENAME COLUMN trigger_3 TO "trigger";
