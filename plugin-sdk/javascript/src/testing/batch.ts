/** A batch in memory, with what the host would do to it. */

import { bit, bitsOf } from "../bits.ts";
import { isViewType, VIEWS } from "../column.ts";
import type { Form, NumberTag, WitBatch, WitColumn, WitFault, WitField } from "../host.ts";

/** One value a row, as bytes: what all columns are kept as. */
type Kept = (Uint8Array | boolean | null)[];

interface KeptColumn {
    field: WitField;
    cells: Kept;
}

function refused(message: string): WitFault {
    return { kind: "invalid-data", message, row: null };
}

const WIDTHS: Readonly<Record<string, number>> = { decimal128: 16 };

function width(type: string): number | undefined {
    return isViewType(type as never) ? VIEWS[type as keyof typeof VIEWS].BYTES_PER_ELEMENT : WIDTHS[type];
}

/** The cells of a column as it crosses; throws what the host would refuse. */
function cellsOf(field: WitField, rows: number, column: WitColumn): Kept {
    const { values, validity } = column;
    const wrong = (what: string) => refused(`column \`${field.name}\`: ${what}`);
    if (validity !== null && validity.length !== Math.ceil(rows / 8)) {
        throw wrong(`its validity has ${validity.length} bytes for ${rows} rows`);
    }
    const present = (row: number) => validity === null || bit(validity, row);
    const size = width(field.dataType);
    const each = (cell: (row: number) => Uint8Array | boolean | null): Kept =>
        Array.from({ length: rows }, (_, row) => (present(row) ? cell(row) : null));
    const cells = ((): Kept => {
        switch (values.tag) {
            case "strings":
                if (field.dataType !== "utf8" || values.val.length !== rows) {
                    throw wrong(`${values.val.length} texts for ${rows} rows of ${field.dataType}`);
                }
                return values.val.map((text) => (text === null ? null : new TextEncoder().encode(text)));
            case "bits":
                if (field.dataType !== "boolean" || values.val.length !== Math.ceil(rows / 8)) {
                    throw wrong(`${values.val.length} bytes of bits for ${rows} rows of ${field.dataType}`);
                }
                return each((row) => bit(values.val, row));
            case "fixed-bytes":
                if (size === undefined || values.val.length !== rows * size) {
                    throw wrong(`${values.val.length} bytes for ${rows} rows of ${field.dataType}`);
                }
                return each((row) => values.val.slice(row * size, (row + 1) * size));
            case "variable":
            case "variable-bytes": {
                const { data } = values.val;
                const raw = values.val.offsets;
                const offsets = raw instanceof Uint8Array ? new Int32Array(raw.slice().buffer) : Int32Array.from(raw);
                if (!["utf8", "binary"].includes(field.dataType) || offsets.length !== rows + 1) {
                    throw wrong(`${offsets.length} offsets for ${rows} rows of ${field.dataType}`);
                }
                return each((row) => data.slice(offsets[row], offsets[row + 1]));
            }
            default: {
                const list = values.val as ArrayLike<number>;
                if (size === undefined || list.length !== rows) {
                    throw wrong(`${list.length} numbers for ${rows} rows of ${field.dataType}`);
                }
                const View = VIEWS[values.tag as NumberTag] as unknown as { from(one: unknown[]): { buffer: ArrayBuffer } };
                const isBig = values.tag === "int64" || values.tag === "uint64";
                return each((row) => {
                    const number = list[row] ?? 0;
                    return new Uint8Array(View.from([isBig ? BigInt(number) : number]).buffer);
                });
            }
        }
    })();
    if (!field.nullable && cells.includes(null)) {
        throw wrong(`it is not null, and row ${cells.indexOf(null)} has no value`);
    }
    return cells;
}

function crossing(field: WitField, cells: Kept, form: Form): WitColumn {
    const rows = cells.length;
    const nulls = cells.includes(null);
    const validity = nulls ? bitsOf(rows, (row) => cells[row] !== null) : null;
    const parts = cells as (Uint8Array | null)[];
    if (field.dataType === "boolean") {
        return { values: { tag: "bits", val: bitsOf(rows, (row) => cells[row] === true) }, validity };
    }
    if (field.dataType === "utf8" || field.dataType === "binary") {
        if (form === "strings") {
            if (field.dataType === "binary") {
                throw refused(`column \`${field.name}\` is binary; only utf8 has texts`);
            }
            const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
            return { values: { tag: "strings", val: parts.map((part) => part && decoder.decode(part)) }, validity: null };
        }
        const offsets = new Int32Array(rows + 1);
        parts.forEach((part, row) => (offsets[row + 1] = (offsets[row] ?? 0) + (part?.length ?? 0)));
        const data = new Uint8Array(offsets[rows] ?? 0);
        parts.forEach((part, row) => part && data.set(part, offsets[row]));
        const val = { offsets: form === "raw" ? new Uint8Array(offsets.buffer) : [...offsets], data };
        return { values: { tag: form === "raw" ? "variable-bytes" : "variable", val } as WitColumn["values"], validity };
    }
    const size = width(field.dataType);
    if (size === undefined) {
        throw refused(`column \`${field.name}\` is ${field.dataType}; it has no values here`);
    }
    const bytes = new Uint8Array(rows * size);
    parts.forEach((part, row) => part && bytes.set(part, row * size));
    return { values: { tag: "fixed-bytes", val: bytes }, validity };
}

export class MemoryBatch implements WitBatch {
    readonly #columns: KeptColumn[];
    readonly #rows: number;

    constructor(rows: number, columns: KeptColumn[]) {
        this.#columns = columns;
        this.#rows = rows;
        const names = columns.map(({ field }) => field.name);
        const twice = names.find((name, place) => names.indexOf(name) !== place);
        if (twice !== undefined) {
            throw refused(`there are two columns \`${twice}\``);
        }
    }

    static fromColumns(schema: WitField[], rows: number, columns: WitColumn[]): MemoryBatch {
        if (schema.length !== columns.length) {
            throw refused(`${columns.length} columns for ${schema.length} fields`);
        }
        const kept = schema.map((field, place) => ({ field, cells: cellsOf(field, rows, columns[place] as WitColumn) }));
        return new MemoryBatch(rows, kept);
    }

    static fromIpc(): MemoryBatch {
        throw new Error("there is no Arrow IPC without a host; try it in a case of `sluicebox plugin test`");
    }

    static concat(parts: WitBatch[]): MemoryBatch {
        const batches = parts as MemoryBatch[];
        const first = batches[0];
        if (first === undefined) {
            throw refused("there are no batches to join");
        }
        const columns = first.#columns.map(({ field }, place) => ({
            field,
            cells: batches.flatMap((batch) => batch.#columns[place]?.cells ?? []),
        }));
        return new MemoryBatch(
            batches.reduce((rows, batch) => rows + batch.#rows, 0),
            columns,
        );
    }

    schema(): WitField[] {
        return this.#columns.map(({ field }) => field);
    }

    rows(): number {
        return this.#rows;
    }

    column(index: number, form: Form): WitColumn {
        const { field, cells } = this.#at(index);
        return crossing(field, cells, form);
    }

    toIpc(): Uint8Array {
        throw new Error("there is no Arrow IPC without a host; try it in a case of `sluicebox plugin test`");
    }

    filter(mask: Uint8Array): MemoryBatch {
        return this.#picked([...Array(this.#rows).keys()].filter((row) => bit(mask, row)));
    }

    take(rows: number[]): MemoryBatch {
        const wrong = rows.find((row) => row >= this.#rows);
        if (wrong !== undefined) {
            throw refused(`there is no row ${wrong}; the batch has ${this.#rows} rows`);
        }
        return this.#picked(rows);
    }

    slice(offset: number, rows: number): MemoryBatch {
        if (offset + rows > this.#rows) {
            throw refused(`rows ${offset} to ${offset + rows} pass the end; the batch has ${this.#rows} rows`);
        }
        return this.#picked(Array.from({ length: rows }, (_, row) => offset + row));
    }

    select(columns: [number, string][]): MemoryBatch {
        const picked = columns.map(([index, name]) => {
            const { field, cells } = this.#at(index);
            return { field: { ...field, name }, cells };
        });
        return new MemoryBatch(this.#rows, picked);
    }

    withColumns(schema: WitField[], columns: WitColumn[]): MemoryBatch {
        const added = schema.map((field, place) => ({
            field,
            cells: cellsOf(field, this.#rows, columns[place] as WitColumn),
        }));
        const all = [...this.#columns];
        for (const column of added) {
            const place = all.findIndex(({ field }) => field.name === column.field.name);
            all[place < 0 ? all.length : place] = column;
        }
        return new MemoryBatch(this.#rows, all);
    }

    zip(other: WitBatch): MemoryBatch {
        if (other.rows() !== this.#rows) {
            throw refused(`${this.#rows} rows beside ${other.rows()}`);
        }
        return new MemoryBatch(this.#rows, [...this.#columns, ...(other as MemoryBatch).#columns]);
    }

    #at(index: number): KeptColumn {
        const found = this.#columns[index];
        if (found === undefined) {
            throw refused(`there is no column number ${index}`);
        }
        return found;
    }

    #picked(rows: number[]): MemoryBatch {
        const columns = this.#columns.map(({ field, cells }) => ({ field, cells: rows.map((row) => cells[row] ?? null) }));
        return new MemoryBatch(rows.length, columns);
    }
}
