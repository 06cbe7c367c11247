/** Columns as they cross: bytes and bits, and the views and values over them. */

import { bit, bitsOf } from "./bits.ts";
import { Fault } from "./fault.ts";
import type { WitColumn } from "./host.ts";
import type { Field } from "./schema.ts";
import type { DataType } from "./words.ts";

/** The typed array over the bytes of each type that has one. */
export interface Views {
    int8: Int8Array;
    int16: Int16Array;
    int32: Int32Array;
    int64: BigInt64Array;
    uint8: Uint8Array;
    uint16: Uint16Array;
    uint32: Uint32Array;
    uint64: BigUint64Array;
    float32: Float32Array;
    float64: Float64Array;
    /** days since 1970-01-01 */
    date32: Int32Array;
    /** microseconds since 1970-01-01T00:00:00 */
    timestamp: BigInt64Array;
}

export type ViewType = keyof Views;

export const VIEWS = {
    int8: Int8Array,
    int16: Int16Array,
    int32: Int32Array,
    int64: BigInt64Array,
    uint8: Uint8Array,
    uint16: Uint16Array,
    uint32: Uint32Array,
    uint64: BigUint64Array,
    float32: Float32Array,
    float64: Float64Array,
    date32: Int32Array,
    timestamp: BigInt64Array,
} as const;

/**
 * A value of a row: boolean; number (8 to 32 bits, floats, date32 in days); bigint (64 bits, timestamp in microseconds,
 * decimal128 without its point); string (utf8); Uint8Array (binary).
 */
export type Value = boolean | number | bigint | string | Uint8Array;

/** A value, or null. */
export type Cell = Value | null;

export function isViewType(type: DataType): type is ViewType {
    return type in VIEWS;
}

export function viewOf<T extends ViewType>(type: T, bytes: Uint8Array): Views[T] {
    const View = VIEWS[type];
    const size = View.BYTES_PER_ELEMENT;
    // A view has to begin at a multiple of its size.
    const even = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
    return new View(even.buffer as ArrayBuffer, even.byteOffset, even.byteLength / size) as Views[T];
}

/** A column that was copied in. Its values can be looked at, and it can be handed over again as it is. */
export class Column {
    readonly field: Field;
    readonly rows: number;
    /** As it crossed. */
    readonly wit: WitColumn;

    constructor(field: Field, rows: number, wit: WitColumn) {
        this.field = field;
        this.rows = rows;
        this.wit = wit;
    }

    isNull(row: number): boolean {
        const { values, validity } = this.wit;
        if (values.tag === "strings") {
            return (values.val[row] ?? null) === null;
        }
        return validity !== null && !bit(validity, row);
    }

    /** The numbers, those of nulls with some value in their place. */
    view<T extends ViewType>(type: T): Views[T] {
        if (this.field.dataType !== type) {
            const message = `column \`${this.field.name}\` is ${this.field.dataType}; it has no view as ${type}`;
            throw new Fault("invalid-config", message);
        }
        const { values } = this.wit;
        if (values.tag === "fixed-bytes") {
            return viewOf(type, values.val);
        }
        if (values.tag in VIEWS) {
            const View = VIEWS[type] as unknown as { from(list: ArrayLike<number>): Views[T] };
            return View.from(values.val as ArrayLike<number>);
        }
        throw new Error(`the values of \`${this.field.name}\` came as ${values.tag}`);
    }

    /** The text of each row. */
    strings(): (string | null)[] {
        const { values } = this.wit;
        return values.tag === "strings" ? values.val : (this.cells() as (string | null)[]);
    }

    /** The value of each row. */
    cells(): Cell[] {
        const value = this.#values();
        return Array.from({ length: this.rows }, (_, row) => (this.isNull(row) ? null : value(row)));
    }

    #values(): (row: number) => Value {
        const { dataType } = this.field;
        const { values } = this.wit;
        switch (values.tag) {
            case "strings":
                return (row) => values.val[row] ?? "";
            case "bits":
                return (row) => bit(values.val, row);
            case "variable":
            case "variable-bytes": {
                const offsets = values.tag === "variable" ? values.val.offsets : viewOf("int32", values.val.offsets);
                const { data } = values.val;
                const part = (row: number) => data.subarray(offsets[row], offsets[row + 1]);
                const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
                return dataType === "utf8" ? (row) => decoder.decode(part(row)) : (row) => part(row).slice();
            }
            default: {
                if (dataType === "decimal128" && values.tag === "fixed-bytes") {
                    const halves = viewOf("int64", values.val);
                    return (row) =>
                        ((halves[2 * row + 1] ?? 0n) << 64n) | BigInt.asUintN(64, halves[2 * row] ?? 0n);
                }
                if (!isViewType(dataType)) {
                    throw new Error(`the values of ${dataType} came as ${values.tag}`);
                }
                const view = this.view(dataType);
                return (row) => view[row] ?? 0;
            }
        }
    }
}

type View = Views[ViewType];

/** What a column can be made of: a cell a row, a typed array of the type (no nulls), or a column as it came. */
export type Values = readonly (Cell | undefined)[] | View | Column;

export function rowsOf(values: Values): number {
    return values instanceof Column ? values.rows : values.length;
}

/** Values as they cross. */
export function columnToWit(field: Field, values: Values): WitColumn {
    if (values instanceof Column) {
        return values.wit;
    }
    if (ArrayBuffer.isView(values)) {
        return { values: { tag: "fixed-bytes", val: bytesOf(field, values) }, validity: null };
    }
    return fromCells(field, values);
}

function bytesOf(field: Field, view: View): Uint8Array {
    const View = isViewType(field.dataType) ? VIEWS[field.dataType] : undefined;
    if (View === undefined || !(view instanceof View)) {
        const wanted = View === undefined ? "no typed array, but a list of values" : `${View.name}`;
        throw new TypeError(`column \`${field.name}\` is ${field.dataType}: give ${wanted}, not ${view.constructor.name}`);
    }
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function fromCells(field: Field, cells: readonly (Cell | undefined)[]): WitColumn {
    const rows = cells.length;
    const { dataType } = field;
    if (dataType === "utf8") {
        return { values: { tag: "strings", val: texts(field, cells) }, validity: null };
    }
    let nulls = false;
    const each = (put: (value: Value, row: number) => boolean): void => {
        for (let row = 0; row < rows; row++) {
            const value = cells[row];
            if (value === null || value === undefined) {
                nulls = true;
            } else if (!put(value, row)) {
                throw new Fault("internal", unfit(field, value), row);
            }
        }
    };
    let values: WitColumn["values"];
    if (dataType === "boolean") {
        each((value) => typeof value === "boolean");
        values = { tag: "bits", val: bitsOf(rows, (row) => cells[row] === true) };
    } else if (dataType === "binary") {
        each((value) => value instanceof Uint8Array);
        values = { tag: "variable-bytes", val: joined(cells as (Uint8Array | null)[]) };
    } else if (dataType === "decimal128") {
        const halves = new BigInt64Array(2 * rows);
        each((value, row) => {
            if (typeof value !== "bigint" || BigInt.asIntN(128, value) !== value) {
                return false;
            }
            halves[2 * row] = BigInt.asIntN(64, value);
            halves[2 * row + 1] = value >> 64n;
            return true;
        });
        values = { tag: "fixed-bytes", val: new Uint8Array(halves.buffer) };
    } else if (isViewType(dataType)) {
        const view = new VIEWS[dataType](rows);
        each(putter(dataType, view));
        values = { tag: "fixed-bytes", val: new Uint8Array(view.buffer) };
    } else {
        const message = `column \`${field.name}\` is of a type that has no values here; carry it by handle or as Arrow IPC`;
        throw new Fault("internal", message);
    }
    const present = (row: number): boolean => cells[row] !== null && cells[row] !== undefined;
    return { values, validity: nulls ? bitsOf(rows, present) : null };
}

function putter(type: ViewType, view: View): (value: Value, row: number) => boolean {
    if (view instanceof BigInt64Array || view instanceof BigUint64Array) {
        return (value, row) => {
            if (typeof value === "number" && !Number.isSafeInteger(value)) {
                return false;
            }
            if (typeof value !== "number" && typeof value !== "bigint") {
                return false;
            }
            const number = BigInt(value);
            view[row] = number;
            return view[row] === number;
        };
    }
    if (type === "float32" || type === "float64") {
        return (value, row) => {
            view[row] = value as number;
            return typeof value === "number";
        };
    }
    return (value, row) => {
        view[row] = value as number;
        return view[row] === value;
    };
}

function texts(field: Field, cells: readonly (Cell | undefined)[]): (string | null)[] {
    for (let row = 0; row < cells.length; row++) {
        const value = cells[row];
        if (typeof value !== "string" && value !== null) {
            if (value !== undefined) {
                throw new Fault("internal", unfit(field, value), row);
            }
            return texts(field, cells.map((each) => each ?? null));
        }
    }
    return cells as (string | null)[];
}

function joined(parts: (Uint8Array | null | undefined)[]): { offsets: Uint8Array; data: Uint8Array } {
    const offsets = new Int32Array(parts.length + 1);
    let end = 0;
    parts.forEach((part, row) => {
        end += part?.length ?? 0;
        offsets[row + 1] = end;
    });
    if (end > 0x7fffffff) {
        throw new Fault("invalid-data", "the values of a batch have more than 2 GiB; make smaller batches");
    }
    const data = new Uint8Array(end);
    parts.forEach((part, row) => {
        if (part) {
            data.set(part, offsets[row]);
        }
    });
    return { offsets: new Uint8Array(offsets.buffer), data };
}

function unfit(field: Field, value: Value): string {
    const text = typeof value === "bigint" ? `${value}n` : value instanceof Uint8Array ? "bytes" : JSON.stringify(value);
    return `column \`${field.name}\` is ${field.dataType}, ${text.slice(0, 100)} (${typeof value}) does not fit`;
}

