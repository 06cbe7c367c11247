import { field, text, transform } from "sluicebox";

const NUMBERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"] as const;

/** Adds a column that is one column divided by another. */
export default transform({
    name: "{{name}}",
    summary: "Adds the ratio of two columns",
    stateless: true,
    options: {
        numerator: text("The column above the line."),
        denominator: text("The column below the line; where it is 0, the ratio is null."),
        as: text("The name of the new column.", { default: "ratio" }),
    },
    // Called once, also to check a pipeline: find here what does not fit, and answer with the columns that come out.
    open({ options, input }) {
        input.schema.need(options.numerator, ...NUMBERS);
        input.schema.need(options.denominator, ...NUMBERS);
        const ratio = field(options.as, "float64");
        return {
            schema: input.schema.with(ratio),
            // Called for each batch. Two columns are copied in and one out; the others stay in the host.
            process(batch) {
                const above = batch.values(options.numerator);
                const below = batch.values(options.denominator);
                const ratios = above.map((value, row) => {
                    const by = below[row] ?? null;
                    return value === null || by === null || Number(by) === 0 ? null : Number(value) / Number(by);
                });
                return batch.with(ratio, ratios);
            },
        };
    },
});
