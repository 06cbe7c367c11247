import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { field } from "../src/index.ts";
import { batchOf, runTransform } from "../src/testing/index.ts";
import stage from "./readme-stage.ts";

// The tests run with the folder of the tests as the working folder.
test("the example of the README is the one that is tested", () => {
    const [, code] = /```ts\n([^]*?)```/.exec(readFileSync(join("..", "README.md"), "utf8")) ?? [];
    const tested = readFileSync("readme-stage.ts", "utf8").replace("../src/index.ts", "sluicebox");
    assert.equal(tested, code);
});

test("the example works", () => {
    const batch = batchOf([field("a", "utf8"), field("b", "utf8")], { a: ["x", "y"], b: ["z", null] });
    const { rows } = runTransform(stage, { columns: ["a", "b"] }, batch);
    assert.deepEqual(rows.map((row) => row["joined"]), ["x-z", null]);
});
