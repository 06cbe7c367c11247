import assert from "node:assert/strict";
import { test } from "node:test";
import { field } from "sluicebox";
import { batchOf, runValidate } from "sluicebox/testing";
import stage from "./stage.ts";

test("unknown values are found and rows counted", () => {
    const flights = batchOf([field("carrier", "utf8")], { carrier: ["UA", "B6", null] });
    const { rules, broken, outcomes } = runValidate(stage, { column: "carrier", values: ["UA"] }, flights, flights);
    assert.equal(rules[0]?.summary, "carrier is one of UA");
    assert.deepEqual(broken, { "known-values": [1, 4] });
    assert.deepEqual(outcomes, { "any-rows": { holds: true, observed: "6 rows" } });
});

test("a column of numbers is refused", () => {
    const numbers = batchOf([field("n", "int32")], { n: [1] });
    assert.throws(() => runValidate(stage, { column: "n", values: ["1"] }, numbers), /not utf8/);
});
