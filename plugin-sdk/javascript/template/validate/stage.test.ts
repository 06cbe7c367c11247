import assert from "node:assert/strict";
import { test } from "node:test";
import { field } from "sluicebox";
import { batchOf, runValidate } from "sluicebox/testing";
import stage from "./stage.ts";

const ROWS = batchOf([field("miles", "float64")], { miles: [0, 1500, null, 1500.5, -1, NaN] });

test("what is out of bounds is found", () => {
    const { broken, outcomes } = runValidate(stage, { column: "miles", low: 0, high: 1500 }, ROWS, ROWS);
    assert.deepEqual(broken, { bounds: [3, 4, 5, 9, 10, 11] });
    assert.deepEqual(outcomes, { "any-rows": { holds: true, observed: "12 rows" } });
});

test("bounds that let nothing through are refused", () => {
    assert.throws(() => runValidate(stage, { column: "miles", low: 2, high: 1 }, ROWS), /more than high/);
});
