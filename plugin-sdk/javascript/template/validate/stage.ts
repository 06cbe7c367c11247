import { Fault, number, oneOf, text, validate } from "sluicebox";

const NUMBERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"] as const;

/** Finds the rows whose number is out of bounds. */
export default validate({
    name: "{{name}}",
    summary: "Finds the rows whose number is out of bounds",
    options: {
        column: text("The column that is looked at; nulls are let through."),
        low: number("The least that it may be."),
        high: number("The most that it may be."),
        severity: oneOf("What breaking the rule means for a row.", ["warn", "reject", "fail"], { default: "reject" }),
    },
    // Called once, also to check a pipeline: find here what does not fit, and answer with the rules.
    open({ options: { column, low, high, severity }, schema }) {
        schema.need(column, ...NUMBERS);
        if (low > high) {
            throw new Fault("invalid-config", `low is ${low}, which is more than high, ${high}`);
        }
        let rows = 0;
        return {
            rules: [
                { name: "bounds", summary: `${column} is from ${low} to ${high}`, severity },
                { name: "any-rows", summary: "there are rows", severity: "warn" },
            ],
            // Called for each batch; the host sets aside the rows that are found, or fails the run, as the rule says.
            check(batch) {
                rows += batch.rows;
                const isOut = batch.values(column).map((value) => value !== null && !(low <= Number(value) && Number(value) <= high));
                return { rule: "bounds", rows: isOut };
            },
            // Called once in the end, for rules that speak of all the data.
            finish() {
                return { rule: "any-rows", holds: rows > 0, observed: `${rows} rows` };
            },
        };
    },
});
