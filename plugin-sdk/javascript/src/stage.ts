/** The four kinds of stages. A stage's module has one of them as its default export. */

import type { Batch } from "./batch.ts";
import type { Mask } from "./bits.ts";
import type { Options, Static } from "./options.ts";
import type { Field, Schema } from "./schema.ts";
import type { Capability, Kind, Severity } from "./words.ts";

/** What a plugin says of itself. */
export interface About<O extends Options> {
    /** As in pipeline files: lower-case words joined by hyphens. */
    name: string;
    /** The plugin's own version; 0.1.0 unless told. */
    version?: string;
    /** One sentence. */
    summary: string;
    /** What the stage asks to be granted. */
    capabilities?: readonly Capability[];
    /**
     * True where the answer to a batch depends on that batch alone: such a stage runs on many instances at once, and a
     * batch that kills it can be split to find the rows at fault.
     */
    stateless?: boolean;
    options?: O;
}

/** Why and for when a run runs. Times are RFC 3339 in UTC. */
export interface Context {
    readonly runId: string;
    readonly pipeline: string;
    readonly stage: string;
    /** Counted from 1. */
    readonly attempt: number;
    /** Included. */
    readonly intervalStart: string;
    /** Excluded. */
    readonly intervalEnd: string;
}

/** What every `open` is given. */
export interface Opening<O extends Options> {
    readonly options: Static<O>;
    readonly context: Context;
}

/** No, one or several. */
export type Some<T> = T | Iterable<T> | undefined | void;

export type Fields = Schema | readonly Field[];

/** A batch of an extract, with where to resume after it and how much of the work is done (0 to 1). */
export interface Page {
    batch: Batch;
    bookmark?: string | undefined;
    progress?: number | undefined;
}

export interface OpenExtract {
    schema: Fields;
    /** Gives one page after another, as the host has room; best a generator. */
    pages(): Iterable<Page | Batch>;
}

/** Makes batches from something outside. */
export interface Extract<O extends Options = Options> extends About<O> {
    /**
     * Opens the source; `bookmark` is that of the last run that committed. Also called to check a pipeline before it
     * runs, so it changes nothing outside.
     */
    open(opening: Opening<O> & { readonly bookmark: string | undefined }): OpenExtract;
}

/** A stage that feeds a transform. */
export interface Input {
    readonly name: string;
    readonly schema: Schema;
}

export interface OpenTransform {
    /** Of what comes out. */
    schema: Fields;
    /** A batch of input number `input`, from 0. All of the inputs but the first come before the first. */
    process(batch: Batch, input: number): Some<Batch>;
    /** After the last batch. */
    finish?(): Some<Batch>;
}

/** Turns batches into batches. */
export interface Transform<O extends Options = Options> extends About<O> {
    /** Finds what does not fit. `input` is the first of the inputs. Also called to check a pipeline before it runs. */
    open(
        opening: Opening<O> & { readonly inputs: readonly Input[]; readonly input: Input },
    ): OpenTransform;
}

export interface Rule {
    /** Unique within the stage. */
    name: string;
    /** For people, e.g. "dep_delay is not null". */
    summary: string;
    severity: Severity;
    /** More than so many rows, or per cent of the rows, fail the run (reject, fail) or are told (warn). */
    atMost?: { rows: number } | { perCent: number } | undefined;
}

/** The rows that break a rule. */
export interface Finding {
    /** The rule's name. */
    rule: string;
    rows: Mask;
}

/** What a rule says of all the data. */
export interface Outcome {
    /** The rule's name. */
    rule: string;
    holds: boolean;
    /** What was seen, for people, e.g. "12 rows". */
    observed: string;
}

export interface OpenValidate {
    rules: readonly Rule[];
    check(batch: Batch): Some<Finding>;
    /** After the last batch: rules that speak of all the data. */
    finish?(): Some<Outcome>;
}

/** Finds the rows that break rules; the host judges. */
export interface Validate<O extends Options = Options> extends About<O> {
    open(opening: Opening<O> & { readonly schema: Schema }): OpenValidate;
}

export interface OpenLoad {
    write(batch: Batch): void;
    /** Makes what was written durable and unseen. The receipt says all that `commit` needs to know. */
    prepare(): string;
}

export interface Ending<O extends Options> {
    readonly options: Static<O>;
    readonly loadId: string;
    readonly receipts: readonly string[];
}

/** Takes batches out of the pipeline, in two steps. */
export interface Load<O extends Options = Options> extends About<O> {
    /**
     * `loadId` is the same whenever the same load is tried again; `part` tells instances of one load apart. Also called
     * to check a pipeline before it runs: make files in the first `write` or in `prepare`.
     */
    open(
        opening: Opening<O> & { readonly schema: Schema; readonly loadId: string; readonly part: number },
    ): OpenLoad;
    /** Shows what was prepared. Perhaps on a fresh instance, and again after it succeeded. */
    commit(ending: Ending<O>): void;
    /** Takes back what was written, never what was committed. Perhaps on a fresh instance, with no receipts, and again. */
    abort(ending: Ending<O>): void;
}

/** A stage of any kind. */
export type Plugin =
    | { kind: "extract"; stage: Extract }
    | { kind: "transform"; stage: Transform }
    | { kind: "validate"; stage: Validate }
    | { kind: "load"; stage: Load };

/** A plugin of one kind. */
export type PluginOf<K extends Kind> = Plugin & { kind: K };

// The options' type is the author's business; the machinery hands on what `readOptions` made of them.
export function extract<const O extends Options = {}>(stage: Extract<O>): PluginOf<"extract"> {
    return { kind: "extract", stage: stage as unknown as Extract };
}

export function transform<const O extends Options = {}>(stage: Transform<O>): PluginOf<"transform"> {
    return { kind: "transform", stage: stage as unknown as Transform };
}

export function validate<const O extends Options = {}>(stage: Validate<O>): PluginOf<"validate"> {
    return { kind: "validate", stage: stage as unknown as Validate };
}

export function load<const O extends Options = {}>(stage: Load<O>): PluginOf<"load"> {
    return { kind: "load", stage: stage as unknown as Load };
}
