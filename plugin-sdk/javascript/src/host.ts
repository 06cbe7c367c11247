/** The contract as QuickJS sees it, and the host behind it: the real one in a component, a stand-in in tests. */

import type { FaultKind } from "./fault.ts";
import type { Capability, DataType, Kind, Level } from "./words.ts";

export interface WitField {
    name: string;
    dataType: DataType;
    nullable: boolean;
    detail: string | null;
}

export type Numbers = ArrayLike<number>;

export type WitValues =
    | { tag: "bits" | "fixed-bytes"; val: Uint8Array }
    | { tag: NumberTag; val: Numbers }
    | { tag: "variable"; val: { offsets: Numbers; data: Uint8Array } }
    | { tag: "variable-bytes"; val: { offsets: Uint8Array; data: Uint8Array } }
    | { tag: "strings"; val: (string | null)[] };

export type NumberTag =
    | "int8"
    | "int16"
    | "int32"
    | "int64"
    | "uint8"
    | "uint16"
    | "uint32"
    | "uint64"
    | "float32"
    | "float64";

export interface WitColumn {
    values: WitValues;
    validity: Uint8Array | null;
}

/** How a column crosses; see `Batch.column`. */
export type Form = "typed" | "raw" | "strings";

export interface WitBatch {
    schema(): WitField[];
    rows(): number;
    column(index: number, form: Form): WitColumn;
    toIpc(columns: number[]): Uint8Array;
    filter(mask: Uint8Array): WitBatch;
    take(rows: number[]): WitBatch;
    slice(offset: number, rows: number): WitBatch;
    select(columns: [number, string][]): WitBatch;
    withColumns(schema: WitField[], columns: WitColumn[]): WitBatch;
    zip(other: WitBatch): WitBatch;
}

export interface WitBadRecord {
    origin: string;
    content: string;
    reason: string;
}

/** What the contract imports. */
export interface Host {
    batches: {
        Batch: {
            fromColumns(schema: WitField[], rows: number, columns: WitColumn[]): WitBatch;
            fromIpc(bytes: Uint8Array): WitBatch;
        };
        concat(parts: WitBatch[]): WitBatch;
    };
    report: {
        log(level: Level, message: string): void;
        count(name: string, by: number): void;
        quarantine(records: WitBadRecord[]): void;
    };
}

export interface WitFault {
    kind: FaultKind;
    message: string;
    row: number | null;
}

export interface WitContext {
    runId: string;
    pipeline: string;
    stage: string;
    attempt: number;
    intervalStart: string;
    intervalEnd: string;
}

export interface WitInput {
    name: string;
    schema: WitField[];
}

export interface WitDescription {
    name: string;
    version: string;
    kind: Kind;
    summary: string;
    configSchema: string;
    capabilities: Capability[];
    stateless: boolean;
}

let installed: Host | undefined;

/** Puts a host behind the SDK. */
export function install(host: Host): void {
    installed = host;
}

/** The host of this process. */
export function host(): Host {
    if (installed === undefined) {
        throw new Error("there is no host here: in a test, import `sluicebox/testing`");
    }
    return installed;
}
