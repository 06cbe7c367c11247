import assert from "node:assert/strict";
import { test } from "node:test";
import { type Fault, field } from "sluicebox";
import { batchOf, runTransform } from "sluicebox/testing";
import stage from "./stage.ts";

const FLIGHTS = batchOf([field("origin", "utf8"), field("dest", "utf8"), field("distance", "int64")], {
    origin: ["JFK", "LGA"],
    dest: ["BQN", null],
    distance: [1576n, 762n],
});

test("texts are joined", () => {
    const { rows, schema } = runTransform(stage, { columns: ["origin", "dest"], as: "route" }, FLIGHTS);
    assert.deepEqual(rows.map((row) => row["route"]), ["JFK-BQN", null]);
    assert.deepEqual(schema.names, ["origin", "dest", "distance", "route"]);
});

test("only text is joined", () => {
    for (const [column, told] of [["distance", /distance/], ["destination", /there is origin/]] as const) {
        assert.throws(
            () => runTransform(stage, { columns: [column] }, FLIGHTS),
            (fault: Fault) => fault.kind === "invalid-config" && told.test(fault.message),
        );
    }
});
