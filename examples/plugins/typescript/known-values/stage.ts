import { integer, list, oneOf, optional, text, validate } from "sluicebox";

/** Finds values that are not among the known ones. */
export default validate({
    name: "known-values-typescript",
    summary: "Finds values that are not known",
    options: {
        column: text("The column, utf8."),
        values: list("The values that it may have; null is fine.", text("A value."), { atLeast: 1 }),
        severity: oneOf("What becomes of rows with another value.", ["warn", "reject", "fail"], { default: "reject" }),
        atMost: optional(integer("More such rows fail the run.", { atLeast: 0 })),
    },
    open({ options, schema }) {
        const { column, severity, atMost } = options;
        schema.need(column, "utf8");
        const known = new Set(options.values);
        let seen = 0;
        return {
            rules: [
                {
                    name: "known-values",
                    summary: `${column} is one of ${options.values.join(", ")}`,
                    severity,
                    atMost: atMost === undefined ? undefined : { rows: atMost },
                },
                { name: "any-rows", summary: "there are rows", severity: "fail" },
            ],
            check(batch) {
                seen += batch.rows;
                const rows = batch.strings(column).map((value) => value !== null && !known.has(value));
                return { rule: "known-values", rows };
            },
            finish() {
                return { rule: "any-rows", holds: seen > 0, observed: `${seen} rows` };
            },
        };
    },
});
