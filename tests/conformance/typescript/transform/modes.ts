import { Batch, type Column, type Context, count, Fault, type FaultKind, field, log, quarantine } from "sluicebox";
import { CONTEXT, LENGTH, type Options } from "./stage.ts";

/** A stage under way. */
export interface Conform {
    options: Options;
    context: Context;
    kept: Batch[];
}

type Work = (conform: Conform, batch: Batch) => Batch | undefined;

const ALL: Record<string, Work> = {
    copy,
    ipc: (_, batch) => Batch.fromIpc(batch.toIpc()),
    "add-one": ({ options }, batch) => {
        const { values, isNull } = batch.view(options.column, "int64");
        const added = Array.from(values, (value, row) => (isNull(row) ? null : BigInt.asIntN(64, value + 1n)));
        return batch.with(batch.schema.need(options.column), added);
    },
    length: ({ options }, batch) =>
        batch.with(LENGTH, batch.strings(options.column).map((text) => (text === null ? null : [...text].length))),
    filter: ({ options }, batch) => batch.filter(batch.values(options.column).map((value) => value === true)),
    take: (_, batch) => batch.take(Array.from({ length: batch.rows }, (_, row) => batch.rows - 1 - row)),
    slice: ({ options }, batch) => batch.slice(options.offset, options.rows),
    select: ({ options }, batch) => batch.select(options.columns.map((pair) => [pair[0] ?? "", pair[1] ?? ""] as const)),
    concat: (_, batch) => Batch.concat([batch, batch]),
    zip: (_, batch) => batch.zip(batch.select(batch.schema.names.map((name) => [name, `${name}_2`] as const))),
    fault: ({ options }, batch) => {
        failIn("process", options);
        return batch;
    },
    crash: () => {
        throw new Error("told to crash");
    },
    "bad-answer": (_, batch) => {
        const fields = [field("n", "int64"), field("m", "int64")];
        return Batch.of(fields, [new BigInt64Array(batch.rows), new BigInt64Array(batch.rows + 1)]);
    },
    keep: ({ kept }, batch) => {
        kept.push(batch.slice());
        return undefined;
    },
    totals: () => undefined,
    context: ({ context: { pipeline, stage, attempt, intervalStart, intervalEnd } }) =>
        Batch.of(CONTEXT, [[pipeline], [stage], [attempt], [intervalStart], [intervalEnd]]),
    report: (_, batch) => {
        log("debug", "debug line");
        log("info", "info line");
        log("warn", "warn line");
        log("error", "error line");
        console.log("printed line");
        count("seen", 3);
        count("seen", 4);
        quarantine({ origin: "here:1", content: "x,y", reason: "not right" });
        return batch;
    },
};

/** The fault that the options name for a call. */
export function failIn(call: Options["call"], { mode, call: of, kind, message, row }: Options): void {
    if (mode === "fault" && of === call) {
        throw new Fault(kind as FaultKind, message, row);
    }
}

export function MODES(mode: string): Work {
    const work = ALL[mode];
    if (work === undefined) {
        throw new Fault("invalid-config", `there is no mode "${mode}"`);
    }
    return work;
}

function copy({ options }: Conform, batch: Batch): Batch {
    const fields = [...batch.schema].filter((each) => each.dataType !== "other");
    const others = [...batch.schema].filter((each) => each.dataType === "other");
    const columns = fields.map(({ name, dataType }): Column => {
        const form = options.form === "strings" && dataType !== "utf8" ? "raw" : options.form;
        return batch.column(name, form);
    });
    const copied = Batch.of(fields, columns, batch.rows);
    if (others.length === 0) {
        return copied;
    }
    return copied.zip(batch.select(others.map(({ name }) => name))).select(batch.schema.names);
}
