import { field, text, transform } from "sluicebox";

const divided = (a, b) => (a === null || b === null || Number(b) === 0 ? null : Number(a) / Number(b));

export default transform({
    name: "plain",
    summary: "Divides",
    options: {
        numerator: text("Above the line."),
        denominator: text("Below the line."),
        as: text("The name of the new column.", { default: "ratio" }),
    },
    open({ options, input }) {
        const ratio = field(options.as, "float64");
        return {
            schema: input.schema.with(ratio),
            process(batch) {
                const below = batch.values(options.denominator);
                return batch.with(ratio, batch.values(options.numerator).map((a, row) => divided(a, below[row])));
            },
        };
    },
});
