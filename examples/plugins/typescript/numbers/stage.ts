import { Batch, extract, Fault, field, integer, Schema } from "sluicebox";

const SCHEMA = new Schema([
    field("n", "int64", { nullable: false }),
    field("label", "utf8"),
    field("half", "float64", { nullable: false }),
]);

/** The rows of the numbers from `from` to before `to`. */
function rows(from: bigint, to: bigint): Batch {
    const numbers = Array.from({ length: Number(to - from) }, (_, at) => from + BigInt(at));
    return Batch.of(SCHEMA, {
        n: BigInt64Array.from(numbers),
        label: numbers.map((n) => (((n % 10n) + 10n) % 10n === 9n ? null : `row ${n}`)),
        half: Float64Array.from(numbers, (n) => Number(n) / 2),
    });
}

/** Makes numbered rows, and resumes behind them. */
export default extract({
    name: "numbers-typescript",
    summary: "Makes numbered rows",
    options: {
        rows: integer("How many rows a run makes.", { atLeast: 0 }),
        start: integer("The first number of the first run.", { default: 0 }),
        batch: integer("Rows of a page.", { default: 8192, atLeast: 1, atMost: 65536 }),
    },
    open({ options, bookmark }) {
        if (bookmark !== undefined && !/^-?\d+$/.test(bookmark)) {
            throw new Fault("invalid-config", `the bookmark "${bookmark}" is no number; set it to the next one`);
        }
        const first = bookmark === undefined ? BigInt(options.start) : BigInt(bookmark);
        const end = first + BigInt(options.rows);
        return {
            schema: SCHEMA,
            *pages() {
                for (let next = first; next < end; ) {
                    const to = next + BigInt(options.batch) < end ? next + BigInt(options.batch) : end;
                    const batch = rows(next, to);
                    next = to;
                    yield { batch, bookmark: String(next), progress: Number(next - first) / options.rows };
                }
            },
        };
    },
});
