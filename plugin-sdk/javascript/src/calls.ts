/** The calls of the host, one maker a kind; whatever is thrown becomes a fault of the contract. */

import { Batch } from "./batch.ts";
import { maskBits } from "./bits.ts";
import { Fault, faultOf, shown } from "./fault.ts";
import type { WitBatch, WitContext, WitDescription, WitField, WitInput } from "./host.ts";
import { readOptions, schemaOf } from "./options.ts";
import { fieldsToWit, schemaFromWit } from "./schema.ts";
import type { Fields, Finding, OpenTransform, OpenValidate, Outcome, Page, Plugin, PluginOf, Some } from "./stage.ts";
import type { Kind, Severity } from "./words.ts";

/** Makes whatever a call throws a fault of the contract. */
function told<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
    return (...args) => {
        let fault;
        try {
            return call(...args);
        } catch (error) {
            fault = faultOf(error);
        }
        throw fault;
    };
}

/** The plugin, if the default export of a stage's module is one of this kind. */
export function checked<K extends Kind>(exported: unknown, kind: K): PluginOf<K> {
    const plugin = exported as Partial<Plugin> | undefined;
    if (typeof plugin !== "object" || plugin === null || plugin.stage === undefined) {
        throw new TypeError(`the stage's module has to \`export default ${kind}({ ... })\``);
    }
    if (plugin.kind !== kind) {
        throw new TypeError(`plugin.toml says the kind is ${kind}, the stage is made by \`${plugin.kind}(...)\``);
    }
    return plugin as PluginOf<K>;
}

export function describe(plugin: Plugin): WitDescription {
    const { name, version, summary, capabilities, stateless, options } = plugin.stage;
    return {
        name,
        version: version ?? "0.1.0",
        kind: plugin.kind,
        summary,
        configSchema: JSON.stringify(schemaOf(options ?? {})),
        capabilities: [...(capabilities ?? [])],
        stateless: stateless ?? false,
    };
}

function fields(schema: Fields | undefined): WitField[] {
    if (typeof schema !== "object" || !(Symbol.iterator in schema)) {
        throw new TypeError("open answers with { schema, ... }; the schema is a Schema or a list of fields");
    }
    return fieldsToWit(schema);
}

/** The answers of a call that may give none, one or several. */
function* some<T>(answer: Some<T>, isOne: (value: unknown) => value is T, what: string): Generator<T> {
    if (answer === undefined || answer === null) {
        return;
    }
    if (isOne(answer)) {
        yield answer;
        return;
    }
    if (typeof answer !== "object" || !(Symbol.iterator in answer)) {
        throw new TypeError(`${what}, not ${shown(answer)}`);
    }
    for (const each of answer as Iterable<unknown>) {
        if (!isOne(each)) {
            throw new TypeError(`${what}, not ${shown(each)}`);
        }
        yield each;
    }
}

const isBatch = (value: unknown): value is Batch => value instanceof Batch;

function isRecord<T extends { rule: string }>(value: unknown): value is T {
    return typeof value === "object" && value !== null && "rule" in value;
}

function opened<T>(stage: T | undefined): T {
    if (stage === undefined) {
        throw new Fault("internal", "the stage was not opened");
    }
    return stage;
}

/** The handles of batches that are answered with. A batch that is answered with twice is shared, not lost. */
function given(batches: Iterable<Batch>): WitBatch[] {
    const list = [...batches];
    return list.map((batch, place) => (list.indexOf(batch, place + 1) > 0 ? batch.slice().give() : batch.give()));
}

export function extractor({ stage }: PluginOf<"extract">) {
    let pages: (() => Iterable<Page | Batch>) | undefined;
    let iterator: Iterator<Page | Batch> | undefined;
    return {
        open: told((context: WitContext, config: string, bookmark: string | null) => {
            const options = readOptions(stage.options ?? {}, config);
            iterator = undefined;
            const open = stage.open({ options, context, bookmark: bookmark ?? undefined });
            pages = () => open.pages();
            return fields(open.schema);
        }),
        next: told(() => {
            iterator ??= opened(pages)()[Symbol.iterator]();
            const { done, value } = iterator.next();
            if (done === true) {
                return null;
            }
            const page: Page = isBatch(value) ? { batch: value } : value;
            if (!isBatch(page?.batch)) {
                throw new TypeError(`pages gives batches or { batch, bookmark, progress }, not ${shown(value)}`);
            }
            const { bookmark, progress } = page;
            return { batch: page.batch.give(), bookmark: bookmark ?? null, progress: progress ?? null };
        }),
    };
}

export function transformer({ stage }: PluginOf<"transform">) {
    let open: OpenTransform | undefined;
    let rest: Iterator<Batch> | undefined;
    return {
        open: told((context: WitContext, config: string, inputs: WitInput[]) => {
            const options = readOptions(stage.options ?? {}, config);
            const all = inputs.map((each) => ({ name: each.name, schema: schemaFromWit(each.schema) }));
            const input = all[0];
            if (input === undefined) {
                throw new Fault("invalid-config", "the stage has no inputs");
            }
            rest = undefined;
            open = stage.open({ options, context, inputs: all, input });
            return fields(open.schema);
        }),
        process: told((input: number, handle: WitBatch) => {
            const batch = new Batch(handle);
            try {
                const answer = opened(open).process(batch, input);
                return given(some(answer, isBatch, "process answers with batches"));
            } finally {
                batch.end();
            }
        }),
        finish: told(() => {
            rest ??= some(opened(open).finish?.(), isBatch, "finish answers with batches");
            const { done, value } = rest.next();
            return done === true ? null : (given([value])[0] ?? null);
        }),
    };
}

type Threshold = { tag: "rows" | "per-cent"; val: number };

export interface WitRule {
    name: string;
    summary: string;
    severity: Severity;
    atMost: Threshold | null;
}

function ruleNumbers(open: OpenValidate): Map<string, number> {
    return new Map(open.rules.map((rule, place) => [rule.name, place]));
}

function numberOf(numbers: Map<string, number>, name: string): number {
    const place = numbers.get(name);
    if (place === undefined) {
        throw new TypeError(`there is no rule ${shown(name)}; there is ${[...numbers.keys()].join(", ") || "none"}`);
    }
    return place;
}

export function validator({ stage }: PluginOf<"validate">) {
    let open: OpenValidate | undefined;
    let numbers = new Map<string, number>();
    return {
        open: told((context: WitContext, config: string, input: WitField[]) => {
            const options = readOptions(stage.options ?? {}, config);
            open = stage.open({ options, context, schema: schemaFromWit(input) });
            numbers = ruleNumbers(open);
            return open.rules.map(({ name, summary, severity, atMost }): WitRule => {
                let threshold: Threshold | null = null;
                if (atMost !== undefined) {
                    threshold =
                        "rows" in atMost
                            ? { tag: "rows", val: atMost.rows }
                            : { tag: "per-cent", val: atMost.perCent };
                }
                return { name, summary, severity, atMost: threshold };
            });
        }),
        check: told((handle: WitBatch) => {
            // The batch is lent for the call.
            const batch = new Batch(handle);
            try {
                const found = some(opened(open).check(batch), isRecord<Finding>, "check answers with { rule, rows }");
                return [...found].map(({ rule, rows }) => ({
                    rule: numberOf(numbers, rule),
                    rows: maskBits(rows, batch.rows),
                }));
            } finally {
                batch.end();
            }
        }),
        finish: told(() => {
            const outcomes = some(opened(open).finish?.(), isRecord<Outcome>, "finish answers with { rule, holds, observed }");
            return [...outcomes].map(({ rule, holds, observed }) => ({
                rule: numberOf(numbers, rule),
                holds,
                observed,
            }));
        }),
    };
}

export function loader({ stage }: PluginOf<"load">) {
    let write: ((batch: Batch) => void) | undefined;
    let prepare: (() => string) | undefined;
    const ending = (config: string, loadId: string, receipts: string[]) => ({
        options: readOptions(stage.options ?? {}, config),
        loadId,
        receipts,
    });
    return {
        open: told((context: WitContext, config: string, input: WitField[], loadId: string, part: number) => {
            const options = readOptions(stage.options ?? {}, config);
            const open = stage.open({ options, context, schema: schemaFromWit(input), loadId, part });
            write = (batch) => open.write(batch);
            prepare = () => open.prepare();
        }),
        write: told((handle: WitBatch) => {
            const batch = new Batch(handle);
            try {
                opened(write)(batch);
            } finally {
                batch.end();
            }
        }),
        prepare: told(() => {
            const receipt: unknown = opened(prepare)();
            if (typeof receipt !== "string") {
                throw new TypeError(`prepare answers with a receipt, a text, not with ${shown(receipt)}`);
            }
            return receipt;
        }),
        commit: told((config: string, loadId: string, receipts: string[]) => {
            stage.commit(ending(config, loadId, receipts));
        }),
        abort: told((config: string, loadId: string, receipts: string[]) => {
            stage.abort(ending(config, loadId, receipts));
        }),
    };
}
