import { field, list, text, transform } from "sluicebox";

/** Joins columns of text. */
export default transform({
    name: "join-text-typescript",
    summary: "Joins columns of text",
    stateless: true,
    options: {
        columns: list("The columns, in the order in which they are joined.", text("A column."), { atLeast: 1 }),
        separator: text("What stands between them.", { default: "-" }),
        as: text("The column that is added, or replaced.", { default: "joined" }),
    },
    open({ options, input }) {
        options.columns.forEach((name) => input.schema.need(name, "utf8"));
        const joined = field(options.as, "utf8");
        return {
            schema: input.schema.with(joined),
            process(batch) {
                const columns = options.columns.map((name) => batch.strings(name));
                const rows = Array.from({ length: batch.rows }, (_, row) => {
                    const texts = columns.map((column) => column[row] ?? null);
                    return texts.includes(null) ? null : texts.join(options.separator);
                });
                return batch.with(joined, rows);
            },
        };
    },
});
