/**
 * Runs stages without a host, in the tests of a project.
 *
 *     const { rows } = runTransform(stage, { columns: ["a"] }, batchOf([field("a", "utf8")], { a: ["x", null] }));
 *
 * Importing this puts a host in memory behind the SDK. Options are written as in pipeline files.
 */

import { Batch } from "../batch.ts";
import { bit } from "../bits.ts";
import { extractor, loader, transformer, validator } from "../calls.ts";
import type { Cell, Values } from "../column.ts";
import { Fault } from "../fault.ts";
import { install, type WitBatch, type WitContext, type WitFault } from "../host.ts";
import type { BadRecord } from "../report.ts";
import { fieldsToWit, Schema, schemaFromWit, type Field } from "../schema.ts";
import type { PluginOf, Rule } from "../stage.ts";
import type { Level } from "../words.ts";
import { MemoryBatch } from "./batch.ts";

/** What a stage told. */
export interface Report {
    log: { level: Level; message: string }[];
    counters: Record<string, number>;
    quarantined: BadRecord[];
}

let told: Report = { log: [], counters: {}, quarantined: [] };

/** What stages told since it was asked the last time. */
export function takeReport(): Report {
    const taken = told;
    told = { log: [], counters: {}, quarantined: [] };
    return taken;
}

install({
    batches: { Batch: MemoryBatch, concat: (parts) => MemoryBatch.concat(parts) },
    report: {
        log: (level, message) => void told.log.push({ level, message }),
        count: (name, by) => void (told.counters[name] = (told.counters[name] ?? 0) + by),
        quarantine: (records) => void told.quarantined.push(...records),
    },
});

/** A batch to test with. */
export function batchOf(schema: Schema | readonly Field[], columns: Record<string, Values> | readonly Values[]): Batch {
    return Batch.of(schema, columns);
}

/** The rows of a batch, one object each. */
export function rowsOf(batch: Batch): Record<string, Cell>[] {
    const names = batch.schema.names;
    const columns = names.map((name) => batch.values(name));
    return Array.from({ length: batch.rows }, (_, row) =>
        Object.fromEntries(names.map((name, place) => [name, columns[place]?.[row] ?? null])),
    );
}

/** The context of tests; parts of it can be given. */
export function context(parts: Partial<WitContext> = {}): WitContext {
    return {
        runId: "01900000-0000-7000-8000-000000000000",
        pipeline: "test",
        stage: "test",
        attempt: 1,
        intervalStart: "2026-01-01T00:00:00Z",
        intervalEnd: "2026-01-02T00:00:00Z",
        ...parts,
    };
}

/** A call as the host makes it; a fault is thrown as a `Fault`. */
function call<T>(make: () => T): T {
    try {
        return make();
    } catch (error) {
        const fault = error as WitFault;
        throw typeof fault.kind === "string" ? new Fault(fault.kind, fault.message, fault.row) : error;
    }
}

/** What an extract or a transform gave. */
export interface Gave {
    schema: Schema;
    batches: Batch[];
    /** All rows of all batches. */
    rows: Record<string, Cell>[];
}

function gave(schema: Schema, batches: Batch[]): Gave {
    return { schema, batches, rows: batches.flatMap(rowsOf) };
}

/** Opens an extract and takes all its pages. */
export function runExtract(
    plugin: PluginOf<"extract">,
    options: object,
    bookmark?: string,
): Gave & { bookmarks: (string | null)[]; progress: (number | null)[] } {
    const calls = extractor(plugin);
    const schema = schemaFromWit(call(() => calls.open(context(), JSON.stringify(options), bookmark ?? null)));
    const pages = [];
    for (let page = call(calls.next); page !== null; page = call(calls.next)) {
        pages.push(page);
    }
    const batches = pages.map((page) => new Batch(page.batch));
    return {
        ...gave(schema, batches),
        bookmarks: pages.map((page) => page.bookmark),
        progress: pages.map((page) => page.progress),
    };
}

/** Opens a transform, gives it the batches of one input, and takes what it answers. */
export function runTransform(plugin: PluginOf<"transform">, options: object, ...batches: Batch[]): Gave {
    const calls = transformer(plugin);
    const input = { name: "input", schema: fieldsToWit(batches[0]?.schema ?? []) };
    const schema = schemaFromWit(call(() => calls.open(context(), JSON.stringify(options), [input])));
    const out: WitBatch[] = batches.flatMap((batch) => call(() => calls.process(0, batch.slice().give())));
    for (let last = call(calls.finish); last !== null; last = call(calls.finish)) {
        out.push(last);
    }
    return gave(
        schema,
        out.map((batch) => new Batch(batch)),
    );
}

/** Opens a validate and has it check the batches: the rows that break each rule, counted over all, and what it says at the end. */
export function runValidate(
    plugin: PluginOf<"validate">,
    options: object,
    ...batches: Batch[]
): {
    rules: Pick<Rule, "name" | "summary" | "severity">[];
    broken: Record<string, number[]>;
    outcomes: Record<string, { holds: boolean; observed: string }>;
} {
    const calls = validator(plugin);
    const input = fieldsToWit(batches[0]?.schema ?? []);
    const rules = call(() => calls.open(context(), JSON.stringify(options), input));
    const name = (rule: number) => rules[rule]?.name ?? String(rule);
    const broken: Record<string, number[]> = {};
    let before = 0;
    for (const batch of batches) {
        for (const { rule, rows } of call(() => calls.check(batch.slice().give()))) {
            const found = [...Array(batch.rows).keys()].filter((row) => bit(rows, row)).map((row) => row + before);
            broken[name(rule)] = [...(broken[name(rule)] ?? []), ...found];
        }
        before += batch.rows;
    }
    const outcomes = call(calls.finish).map(({ rule, holds, observed }) => [name(rule), { holds, observed }] as const);
    return { rules, broken, outcomes: Object.fromEntries(outcomes) };
}

/** Opens a load, writes the batches and prepares; then commits, or aborts, twice, as a host may. */
export function runLoad(
    plugin: PluginOf<"load">,
    options: object,
    batches: Batch[],
    ending: "commit" | "abort" = "commit",
    betweenSteps: () => void = () => {},
): string {
    const config = JSON.stringify(options);
    const calls = loader(plugin);
    call(() => calls.open(context(), config, fieldsToWit(batches[0]?.schema ?? []), "test-load", 0));
    batches.forEach((batch) => call(() => calls.write(batch.slice().give())));
    const receipt = call(calls.prepare);
    betweenSteps();
    for (let time = 0; time < 2; time++) {
        // A fresh instance, which knows the receipts only.
        const fresh = loader(plugin);
        call(() => fresh[ending](config, "test-load", [receipt]));
    }
    return receipt;
}
