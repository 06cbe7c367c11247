import { Batch, extract, Fault, type FaultKind, field, integer, oneOf, optional, Schema, text, type Values } from "sluicebox";

const NUMBERS = new Schema([
    field("n", "int64", { nullable: false }),
    field("label", "utf8"),
    field("half", "float64", { nullable: false }),
]);

/** All types of the contract but `other`: of three rows the second is null. */
const TYPES: [ReturnType<typeof field>, Values][] = [
    [field("boolean", "boolean"), [true, null, false]],
    [field("int8", "int8"), [-128, null, 127]],
    [field("int16", "int16"), [-32768, null, 32767]],
    [field("int32", "int32"), [-2147483648, null, 2147483647]],
    [field("int64", "int64"), [-(2n ** 63n), null, 2n ** 63n - 1n]],
    [field("uint8", "uint8"), [0, null, 255]],
    [field("uint16", "uint16"), [0, null, 65535]],
    [field("uint32", "uint32"), [0, null, 4294967295]],
    [field("uint64", "uint64"), [0n, null, 2n ** 64n - 1n]],
    [field("float32", "float32"), [-0.5, null, 1.5]],
    [field("float64", "float64"), [0.1, null, 1e300]],
    [field("utf8", "utf8"), ["", null, "a\u00e4\u20ac\u{1f600}"]],
    [field("binary", "binary"), [new Uint8Array(), null, new Uint8Array([0, 255])]],
    [field("date32", "date32"), [-1, null, 15736]],
    [field("timestamp", "timestamp"), [-1n, null, 1359626400000000n]],
    [field("decimal128", "decimal128", { detail: "10,2" }), [-1234567890n, null, 1n]],
];

/** What is no number, the infinities and the zero below zero, of both widths. */
const FLOATS: [ReturnType<typeof field>, Values][] = (["float32", "float64"] as const).map((type) => [
    field(type, type, { nullable: false }),
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
]);

/** Rows of numbers from one on. */
function rowsOf(from: bigint, count: number): Batch {
    const numbers = Array.from({ length: count }, (_, at) => from + BigInt(at));
    const labels = numbers.map((n) => (((n % 10n) + 10n) % 10n === 9n ? null : `row ${n}`));
    return Batch.of(NUMBERS, [numbers, labels, numbers.map((n) => Number(n) / 2)]);
}

/** The extract of the conformance suite: what an extract can make, by mode. */
export default extract({
    name: "conform-extract-typescript",
    summary: "What an extract can make, for the conformance suite",
    options: {
        mode: oneOf("What is done.", ["types", "floats", "empty", "nothing", "bookmarks", "fault"]),
        rows: integer("bookmarks: how many rows.", { default: 0, atLeast: 0 }),
        start: integer("bookmarks: the first number.", { default: 0 }),
        batch: integer("bookmarks: rows of a page.", { default: 8192, atLeast: 1, atMost: 65536 }),
        kind: text("fault: its kind.", { default: "internal" }),
        message: text("fault: its message.", { default: "" }),
        row: optional(integer("fault: its row.", { atLeast: 0 })),
        call: oneOf("fault: the call that fails.", ["open", "next"], { default: "next" }),
    },
    open({ options, bookmark }) {
        const { mode } = options;
        const failIn = (call: string) => {
            if (mode === "fault" && options.call === call) {
                throw new Fault(options.kind as FaultKind, options.message, options.row);
            }
        };
        failIn("open");
        const all = mode === "floats" ? FLOATS : TYPES;
        if (bookmark !== undefined && !/^-?\d+$/.test(bookmark)) {
            throw new Fault("invalid-config", `the bookmark "${bookmark}" is no number; set it to the next one`);
        }
        const first = BigInt(bookmark ?? options.start);
        return {
            schema: mode === "types" || mode === "floats" ? all.map(([each]) => each) : NUMBERS,
            *pages() {
                failIn("next");
                if (mode === "types" || mode === "floats") {
                    yield Batch.of(all.map(([each]) => each), all.map(([, values]) => values));
                }
                if (mode === "empty") {
                    yield rowsOf(0n, 0);
                }
                for (let done = 0; mode === "bookmarks" && done < options.rows; ) {
                    const count = Math.min(options.batch, options.rows - done);
                    const batch = rowsOf(first + BigInt(done), count);
                    done += count;
                    yield { batch, bookmark: String(first + BigInt(done)), progress: done / options.rows };
                }
            },
        };
    },
});
