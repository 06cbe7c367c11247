import { Fault, type FaultKind, integer, oneOf, optional, type Rule, text, validate } from "sluicebox";

const RULES: Rule[] = [
    { name: "warn", summary: "rows 0, 3, 6, ... break it", severity: "warn", atMost: { rows: 2 } },
    { name: "reject", summary: "rows 1, 4, 7, ... break it", severity: "reject", atMost: { perCent: 50 } },
    { name: "fail", summary: "rows 2, 5, 8, ... break it", severity: "fail" },
];

/** The validate of the conformance suite: what a stage can say, by mode. */
export default validate({
    name: "conform-validate-typescript",
    summary: "What a validate can say, for the conformance suite",
    options: {
        mode: oneOf("What is done.", ["none", "odd", "nulls", "severities", "finish", "fault", "crash"]),
        column: text("odd: the column that is looked at.", { default: "" }),
        rows: integer("finish: how many rows are enough.", { default: 0, atLeast: 0 }),
        call: oneOf("fault: the call that fails.", ["open", "check", "finish"], { default: "check" }),
        kind: text("fault: its kind.", { default: "internal" }),
        message: text("fault: its message.", { default: "" }),
        row: optional(integer("fault: its row.", { atLeast: 0 })),
    },
    open({ options: { mode, column, rows, call, kind, message, row }, schema }) {
        let seen = 0;
        const failIn = (where: typeof call) => {
            if (mode === "fault" && call === where) {
                throw new Fault(kind as FaultKind, message, row);
            }
        };
        failIn("open");
        if (mode === "odd") {
            schema.need(column, "int64");
        }
        const rules: Record<typeof mode, Rule[]> = {
            none: [],
            fault: [],
            crash: [],
            nulls: schema.names.map((name) => ({ name, summary: `${name} has a value`, severity: "reject" })),
            odd: [{ name: "even", summary: `${column} is even`, severity: "reject" }],
            severities: RULES,
            finish: [{ name: "enough", summary: `there are at least ${rows} rows`, severity: "warn" }],
        };
        return {
            rules: rules[mode],
            *check(batch) {
                seen += batch.rows;
                failIn("check");
                if (mode === "crash") {
                    throw new Error("told to crash");
                }
                if (mode === "nulls") {
                    for (const rule of schema.names) {
                        yield { rule, rows: batch.values(rule).map((value) => value === null) };
                    }
                }
                if (mode === "odd") {
                    const { values, isNull } = batch.view(column, "int64");
                    yield { rule: "even", rows: (row: number) => !isNull(row) && (values[row] ?? 0n) % 2n !== 0n };
                }
                if (mode === "severities") {
                    yield* RULES.map(({ name }, place) => ({ rule: name, rows: (row: number) => row % 3 === place }));
                }
            },
            finish() {
                failIn("finish");
                return mode === "finish" ? { rule: "enough", holds: seen >= rows, observed: `${seen} rows` } : undefined;
            },
        };
    },
});
