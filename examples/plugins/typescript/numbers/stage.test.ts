import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "sluicebox";
import { runExtract } from "sluicebox/testing";
import stage from "./stage.ts";

test("pages have bookmarks and progress", () => {
    const { batches, bookmarks, progress } = runExtract(stage, { rows: 5, batch: 2 });
    assert.deepEqual(batches.map((batch) => batch.rows), [2, 2, 1]);
    assert.deepEqual(bookmarks, ["2", "4", "5"]);
    assert.deepEqual(progress, [0.4, 0.8, 1]);
});

test("a bookmark is where it begins", () => {
    const { rows } = runExtract(stage, { rows: 1, start: 7 }, "9223372036854775789");
    assert.deepEqual(rows, [{ n: 9223372036854775789n, label: null, half: 9223372036854775789 / 2 }]);
});

test("a bookmark of something else is told", () => {
    assert.throws(() => runExtract(stage, { rows: 1 }, "yesterday"), (fault: Fault) => /yesterday/.test(fault.message));
});
