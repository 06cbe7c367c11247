import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { field } from "sluicebox";
import { batchOf, runLoad } from "sluicebox/testing";
import stage from "./stage.ts";

const ROWS = batchOf([field("dest", "utf8"), field("miles", "int64")], { dest: ["IAH", null, "a\tb"], miles: [1400n, 2n, null] });

let folder = "";
let path = "";
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "load-"));
    path = join(folder, "out.tsv");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("rows are lines, and nothing is seen before the commit", () => {
    runLoad(stage, { path }, [ROWS, ROWS.slice(2)], "commit", () => assert.ok(!existsSync(path)));
    assert.equal(readFileSync(path, "utf8"), "dest\tmiles\nIAH\t1400\n\t2\na\\tb\t\na\\tb\t\n");
});

test("what is aborted leaves nothing", () => {
    runLoad(stage, { path }, [ROWS], "abort");
    assert.deepEqual(readdirSync(folder), []);
});

test("bytes are refused", () => {
    const bytes = batchOf([field("raw", "binary")], { raw: [new Uint8Array([0])] });
    assert.throws(() => runLoad(stage, { path }, [bytes]), /column "raw" is binary/);
});
