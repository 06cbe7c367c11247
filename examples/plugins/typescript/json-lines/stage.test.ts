import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { field } from "sluicebox";
import { batchOf, runLoad } from "sluicebox/testing";
import stage from "./stage.ts";

const ROWS = batchOf([field("n", "int64"), field("x", "float32")], { n: [1n, null], x: [Math.fround(0.1), Infinity] });

let folder = "";
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "json-lines-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("rows are shown by commit and not before", () => {
    const path = join(folder, "rows.jsonl");
    runLoad(stage, { path }, [ROWS], "commit", () => assert.ok(!existsSync(path)));
    assert.equal(readFileSync(path, "utf8"), '{"n":1,"x":0.1}\n{"n":null,"x":null}\n');
    assert.deepEqual(readdirSync(folder), ["rows.jsonl"]);
});

test("what is aborted leaves nothing", () => {
    runLoad(stage, { path: join(folder, "rows.jsonl") }, [ROWS], "abort");
    assert.deepEqual(readdirSync(folder), []);
});

test("bytes are refused", () => {
    const bytes = batchOf([field("raw", "binary")], { raw: [new Uint8Array([0])] });
    assert.throws(() => runLoad(stage, { path: join(folder, "a") }, [bytes]), /column raw is binary/);
});
