import { field, list, text, transform } from "../src/index.ts";

export default transform({
    name: "join-text",
    summary: "Joins columns of text into one",
    stateless: true,
    options: {
        columns: list("The text columns to join, in this order.", text("A column."), { atLeast: 1 }),
        separator: text("What stands between the texts.", { default: "-" }),
    },
    open({ options, input }) {
        options.columns.forEach((name) => input.schema.need(name, "utf8"));
        const joined = field("joined", "utf8");
        return {
            schema: input.schema.with(joined),
            process(batch) {
                const columns = options.columns.map((name) => batch.strings(name));
                const rows = Array.from({ length: batch.rows }, (_, row) => columns.map((column) => column[row] ?? null));
                return batch.with(joined, rows.map((row) => (row.includes(null) ? null : row.join(options.separator))));
            },
        };
    },
});
