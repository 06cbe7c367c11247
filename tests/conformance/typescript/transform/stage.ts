import { Batch, field, integer, list, oneOf, optional, Schema, type Static, text, transform } from "sluicebox";
import { type Conform, failIn, MODES } from "./modes.ts";

const options = {
    mode: text("What is done."),
    form: oneOf("copy: the form in which columns cross.", ["typed", "raw", "strings"], { default: "typed" }),
    column: text("add-one, length, filter: the column that is worked on.", { default: "" }),
    columns: list("select: pairs of the old and the new name.", list("A pair.", text("A name.")), { default: [] }),
    offset: integer("slice: the first row.", { default: 0, atLeast: 0 }),
    rows: integer("slice: how many rows.", { default: 0, atLeast: 0 }),
    kind: text("fault: its kind.", { default: "internal" }),
    message: text("fault: its message.", { default: "" }),
    row: optional(integer("fault: its row.", { atLeast: 0 })),
    call: oneOf("fault: the call that fails.", ["open", "process", "finish"], { default: "process" }),
};
export type Options = Static<typeof options>;

const never = { nullable: false };
export const LENGTH = field("length", "int32");
const TOTALS = new Schema([field("input", "utf8", never), field("batches", "int64", never), field("rows", "int64", never)]);
export const CONTEXT = new Schema([
    field("pipeline", "utf8", never),
    field("stage", "utf8", never),
    field("attempt", "int32", never),
    field("interval-start", "utf8", never),
    field("interval-end", "utf8", never),
]);

/** The schema of what comes out. */
function schemaOf({ mode, column, columns }: Options, input: Schema): Schema {
    switch (mode) {
        case "length":
            input.need(column, "utf8");
            return input.with(LENGTH);
        case "add-one":
            input.need(column, "int64");
            return input;
        case "filter":
            input.need(column, "boolean");
            return input;
        case "select":
            return input.select(columns.map((pair) => [pair[0] ?? "", pair[1] ?? ""] as const));
        case "zip":
            return new Schema([...input, ...[...input].map((each) => ({ ...each, name: `${each.name}_2` }))]);
        case "totals":
            return TOTALS;
        case "context":
            return CONTEXT;
        default:
            return input;
    }
}

/** The transform of the conformance suite: what a stage can do, by mode. */
export default transform({
    name: "conform-transform-typescript",
    summary: "What a transform can do, for the conformance suite",
    options,
    open({ options, context, inputs, input }) {
        const conform: Conform = { options, context, kept: [] };
        const work = MODES(options.mode);
        failIn("open", options);
        const batches = inputs.map(() => 0);
        const rows = inputs.map(() => 0);
        return {
            schema: schemaOf(options, input.schema),
            process(batch: Batch, number: number) {
                batches[number] = (batches[number] ?? 0) + 1;
                rows[number] = (rows[number] ?? 0) + batch.rows;
                return work(conform, batch);
            },
            *finish() {
                failIn("finish", options);
                yield* conform.kept;
                if (options.mode === "totals") {
                    yield Batch.of(TOTALS, [inputs.map((each) => each.name), batches, rows]);
                }
            },
        };
    },
});
