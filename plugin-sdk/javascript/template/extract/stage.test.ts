import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { runExtract, takeReport } from "sluicebox/testing";
import stage from "./stage.ts";

let folder = "";
let path = "";
beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cities-"));
    path = join(folder, "cities.txt");
    writeFileSync(path, "New York 4.5\nOslo cold\nQuito 15\n");
    takeReport();
});
afterEach(() => rmSync(folder, { recursive: true }));

test("lines are rows and bad ones are set aside", () => {
    const { rows } = runExtract(stage, { path });
    assert.deepEqual(rows, [{ city: "New York", celsius: 4.5 }, { city: "Quito", celsius: 15 }]);
    const [bad] = takeReport().quarantined;
    assert.deepEqual([bad?.origin, bad?.content], [`${path}:2`, "Oslo cold"]);
});

test("it goes on at the bookmark", () => {
    const { rows, bookmarks } = runExtract(stage, { path, "page-rows": 1 }, "2");
    assert.deepEqual([rows, bookmarks], [[{ city: "Quito", celsius: 15 }], ["3", "3"]]);
});

test("a file that is not there is told", () => {
    assert.throws(() => runExtract(stage, { path: join(folder, "none.txt") }), /none.txt cannot be read/);
});
