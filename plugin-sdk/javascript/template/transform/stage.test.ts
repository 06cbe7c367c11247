import assert from "node:assert/strict";
import { test } from "node:test";
import { field } from "sluicebox";
import { batchOf, runTransform } from "sluicebox/testing";
import stage from "./stage.ts";

const FLIGHTS = batchOf([field("miles", "int64"), field("minutes", "float64")], { miles: [1089n, 5n, null], minutes: [160, 0, 1] });

test("ratios are null where there is none", () => {
    const { rows } = runTransform(stage, { numerator: "miles", denominator: "minutes" }, FLIGHTS);
    assert.deepEqual(rows.map((row) => row["ratio"]), [6.80625, null, null]);
});

test("a column that is not there is told", () => {
    const options = { numerator: "miles", denominator: "hours" };
    assert.throws(() => runTransform(stage, options, FLIGHTS), /no column `hours`; there is miles/);
});
