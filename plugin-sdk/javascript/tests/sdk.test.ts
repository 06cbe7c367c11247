import assert from "node:assert/strict";
import { test } from "node:test";
import { lineTable } from "../bin/lines.mjs";
import { Batch, dateText, Fault, field, integer, list, oneOf, optional, Schema, text, timestampText, transform } from "../src/index.ts";
import { faultOf, wellFormed } from "../src/fault.ts";
import { trouble } from "../src/files/files.ts";
import { makeFolder, readText, remove, writeFile } from "../src/files/node.ts";
import { readOptions, schemaOf } from "../src/options.ts";
import { TextDecoder as OwnDecoder, TextEncoder as OwnEncoder } from "../src/shims.ts";
import { batchOf, rowsOf, runTransform, takeReport } from "../src/testing/index.ts";

const TEXTS = ["", "abc", "aä€😀", "\u0000\n", "e\u0301", "\ufeffx", "x".repeat(20_000) + "é"];

test("text is made bytes and back as everywhere", () => {
    for (const each of TEXTS) {
        const bytes = new OwnEncoder().encode(each);
        assert.deepEqual(bytes, new TextEncoder().encode(each));
        assert.equal(new OwnDecoder("utf-8", { ignoreBOM: true }).decode(bytes), each);
        assert.equal(new OwnDecoder().decode(bytes), new TextDecoder().decode(bytes));
    }
});

test("bytes that are no UTF-8 are replaced as everywhere", () => {
    for (const bytes of [[0xff], [0xe2, 0x82], [0xf0, 0x9f, 0x98, 0x41], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0x61, 0x80, 0x62]]) {
        const raw = new Uint8Array(bytes);
        assert.equal(new OwnDecoder().decode(raw), new TextDecoder().decode(raw), String(bytes));
        assert.throws(() => new OwnDecoder("utf-8", { fatal: true }).decode(raw), TypeError);
    }
});

test("errors of files are of the kind that fits", () => {
    const kinds = {
        "invalid-config": ["no-entry", "is-directory", "not-directory", "name-too-long", "exist", "not-empty"],
        denied: ["access", "not-permitted", "read-only", "not-granted"],
        unavailable: ["io", "insufficient-space", "quota", "busy", "would-block", "interrupted"],
        internal: ["loop", "cross-device"],
    };
    for (const [kind, codes] of Object.entries(kinds)) {
        for (const code of codes) {
            const fault = trouble(code, "x.csv", "read");
            assert.equal(fault.kind, kind, code);
            assert.match(fault.message, /^x\.csv cannot be read: /);
        }
    }
    const kind = "invalid-config";
    assert.throws(() => readText("no/such/file"), { kind });
    assert.throws(() => readText("."), { kind });
    assert.throws(() => writeFile("x".repeat(300), ""), { kind });
    // A file, wherever the tests run.
    const file = process.execPath;
    assert.throws(() => remove(`${file}/x`), { kind });
    assert.throws(() => makeFolder(`${file}/x`), { kind });
});

test("whole numbers of 64 bits are exact", () => {
    const numbers = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, null, 0n];
    const batch = batchOf([field("n", "int64")], { n: numbers });
    assert.deepEqual(batch.values("n"), numbers);
    assert.equal(batch.view("n", "int64").values[0], 9223372036854775807n);
    assert.equal(batch.view("n", "int64").isNull(3), true);
    const own = batchOf([field("n", "uint64")], { n: BigUint64Array.of(2n ** 64n - 1n) });
    assert.deepEqual(own.values("n"), [18446744073709551615n]);
});

test("values that do not fit their column are told", () => {
    for (const [type, value] of [["int8", 128], ["int64", 0.5], ["int64", 2n ** 63n], ["utf8", 1], ["boolean", "yes"], ["uint8", -1]] as const) {
        assert.throws(() => batchOf([field("a", type)], { a: [value] }), /column `a` is/, `${type} ${value}`);
    }
    assert.throws(() => batchOf([field("a", "int64")], { a: new Int32Array(1) }), /BigInt64Array/);
    assert.throws(() => batchOf([field("a", "int64", { nullable: false })], { a: [null] }), Fault);
});

test("the verbs of a batch", () => {
    const batch = batchOf([field("n", "int32"), field("t", "utf8")], { n: [1, 2, null], t: ["a", null, "c"] });
    const n = (of: Batch) => of.values("n");
    assert.deepEqual(n(batch.filter((row) => row !== 1)), [1, null]);
    assert.deepEqual(n(batch.filter([true, null, false])), [1]);
    assert.deepEqual(n(batch.take([2, 0, 0])), [null, 1, 1]);
    assert.deepEqual(n(batch.slice(1)), [2, null]);
    assert.deepEqual(n(Batch.concat([batch, batch.slice(0, 1)])), [1, 2, null, 1]);
    assert.deepEqual(batch.select([["t", "x"], "n"]).schema.names, ["x", "n"]);
    assert.deepEqual(rowsOf(batch.slice(0, 1).zip(batch.slice(1, 1).select([["n", "m"]]))), [{ n: 1, t: "a", m: 2 }]);
    assert.throws(() => batch.slice(2, 2), Fault);
    assert.throws(() => batch.take([-1]), RangeError);
    assert.throws(() => batch.values("m"), /no column `m`; there is n/);
});

const OPTIONS = {
    column: text("The column."),
    atMost: optional(integer("How many.", { atLeast: 1 })),
    kind: oneOf("Which.", ["a", "b"], { default: "a" }),
    names: list("Names.", text("A name."), { default: [] }),
};

test("options are a JSON Schema, and are held to it", () => {
    const schema = schemaOf(OPTIONS) as { required: string[]; properties: Record<string, unknown> };
    assert.deepEqual(schema.required, ["column"]);
    assert.deepEqual(schema.properties["at-most"], { type: "integer", minimum: 1, description: "How many." });
    assert.deepEqual({ ...readOptions(OPTIONS, '{ "column": "x", "at-most": 2 }') }, { column: "x", atMost: 2, kind: "a", names: [] });
    for (const [json, told] of [
        ["{}", /`column` is missing/],
        ['{ "column": 1 }', /`column` is 1/],
        ['{ "column": "x", "at-most": 0 }', /at least 1/],
        ['{ "column": "x", "kind": "c" }', /"a" or "b"/],
        ['{ "column": "x", "atMost": 1 }', /no option `atMost`/],
        ["[]", /a table/],
    ] as const) {
        assert.throws(() => readOptions(OPTIONS, json), (fault: Fault) => fault.kind === "invalid-config" && told.test(fault.message), json);
    }
});

test("whatever is thrown is a fault", () => {
    const told = faultOf(new Fault("denied", "no", 3));
    assert.deepEqual(told, { kind: "denied", message: "no", row: 3 });
    const error = faultOf(new TypeError("x is not a function", { cause: "why" }));
    assert.equal(error.kind, "internal");
    assert.match(error.message, /^TypeError: x is not a function\n.*sdk\.test[^]*caused by thrown: "why"/);
    assert.match(faultOf({ a: 1n }).message, /thrown: \{"a":"1n"\}/);
    assert.equal(wellFormed("a\ud800b"), "a\ufffdb");
    assert.throws(() => new Fault("sad" as never, "x"), TypeError);
});

test("a stage is run as the host runs it", () => {
    const doubled = transform({
        name: "doubled",
        summary: "s",
        open: ({ input }) => ({
            schema: input.schema,
            process: (batch) => [batch, batch],
            *finish() {
                yield Batch.of(input.schema, [[9]]);
            },
        }),
    });
    const { rows } = runTransform(doubled, {}, batchOf([field("n", "int32")], { n: [1] }));
    assert.deepEqual(rows, [{ n: 1 }, { n: 1 }, { n: 9 }]);
    assert.throws(() => runTransform(doubled, { colour: "red" }, batchOf([field("n", "int32")], { n: [] })), /no option `colour`/);
    takeReport();
});

test("names are unique", () => {
    assert.throws(() => new Schema([field("a", "utf8"), field("a", "int8")]), /two columns `a`/);
});

test("days and microseconds are texts", () => {
    for (const [days, told] of [[0, "1970-01-01"], [-1, "1969-12-31"], [11016, "2000-02-29"], [-719_529, "-0001-12-31"]] as const) {
        assert.equal(dateText(days), told);
    }
    assert.equal(timestampText(-1n), "1969-12-31T23:59:59.999999");
    assert.equal(timestampText(1359626400000000n), "2013-01-31T10:00:00");
});

test("lines of a bundle are found in the sources", () => {
    const table = lineTable({ sources: ["a.ts", "b.ts"], mappings: "AAAA;AACA;;ACDA,CAAC" }, (name: string) => name);
    assert.deepEqual(table, { files: ["a.ts", "b.ts"], lines: [[0, 1], [0, 2], 0, [1, 1]] });
});
