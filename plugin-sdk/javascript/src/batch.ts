/** Batches: handles of what the host holds. */

import { maskBits, type Mask } from "./bits.ts";
import { Column, columnToWit, rowsOf, type Cell, type Values, type Views, type ViewType } from "./column.ts";
import { asked, shown } from "./fault.ts";
import { host, type Form, type WitBatch } from "./host.ts";
import { fieldsToWit, Schema, schemaFromWit, type Field } from "./schema.ts";

/** The numbers of a column and which of them are null. */
export interface View<T extends ViewType> {
    /** One number a row; nulls have some value in their place. */
    readonly values: Views[T];
    isNull(row: number): boolean;
}

/**
 * A batch of rows, held by the host. Only the columns that are asked for are copied in; `filter`, `take`, `slice`,
 * `select`, `zip` and `concat` are done by the host. A batch that a call was given ends with the call, and one that is answered
 * with is given away: to keep it, keep `batch.slice()`.
 */
export class Batch {
    #handle: WitBatch | undefined;
    #schema: Schema | undefined;

    /** @internal */
    constructor(handle: WitBatch) {
        this.#handle = handle;
    }

    /** A batch of new columns: a list in the order of the schema, or an object by name. */
    static of(
        schema: Schema | readonly Field[],
        columns: readonly Values[] | Readonly<Record<string, Values>>,
        rows?: number,
    ): Batch {
        const fields = [...schema];
        const list = inOrder(fields, columns);
        const first = list[0];
        const count = rows ?? (first === undefined ? 0 : rowsOf(first));
        const made = fields.map((field, place) => columnToWit(field, given(list[place], field)));
        return new Batch(asked(() => host().batches.Batch.fromColumns(fieldsToWit(fields), count, made)));
    }

    /** A batch from an Arrow IPC stream of one record batch, for types that have no values here. */
    static fromIpc(bytes: Uint8Array): Batch {
        return new Batch(asked(() => host().batches.Batch.fromIpc(bytes)));
    }

    get schema(): Schema {
        return (this.#schema ??= schemaFromWit(asked(() => this.#live().schema())));
    }

    get rows(): number {
        return asked(() => this.#live().rows());
    }

    /** The values of a column, null where there is none; see `Value` for what stands for which type. */
    values(name: string): Cell[] {
        const text = this.schema.need(name).dataType === "utf8";
        return this.column(name, text ? "strings" : "raw").cells();
    }

    /** The texts of a utf8 column. */
    strings(name: string): (string | null)[] {
        this.schema.need(name, "utf8");
        return this.column(name, "strings").strings();
    }

    /** The numbers of a column as a typed array over its very bytes: the quickest, and exact for 64 bits. */
    view<T extends ViewType>(name: string, type: T): View<T> {
        this.schema.need(name, type);
        const column = this.column(name, "raw");
        return { values: column.view(type), isNull: (row) => column.isNull(row) };
    }

    /**
     * A column in one of the contract's forms: `raw` bytes, `typed` lists, or `strings` (utf8 only). Lists of 64-bit
     * numbers lose digits in this language, so such a column crosses as bytes in `typed`, too.
     */
    column(name: string, form: Form = "raw"): Column {
        const place = this.schema.place(name);
        const field = this.schema.at(place);
        const exact = ["int64", "uint64", "timestamp"].includes(field.dataType) && form === "typed" ? "raw" : form;
        const wit = asked(() => this.#live().column(place, exact));
        return new Column(field, this.rows, { values: wit.values, validity: wit.validity ?? null });
    }

    /** The rows that the mask says: one boolean a row, a function of the row's number, or bits. */
    filter(mask: Mask): Batch {
        return this.#made((live) => live.filter(maskBits(mask, live.rows())));
    }

    /** The rows at these positions, in this order; a position may stand more than once. */
    take(rows: Iterable<number>): Batch {
        const list = [...rows];
        const wrong = list.find((row) => !Number.isInteger(row) || row < 0 || row > 0xffffffff);
        if (wrong !== undefined) {
            throw new RangeError(`a position is a whole number from 0, not ${shown(wrong)}`);
        }
        return this.#made((live) => live.take(list));
    }

    /** Rows from `offset` on, to the end unless `rows` says how many. */
    slice(offset = 0, rows?: number): Batch {
        for (const each of [offset, rows ?? 0]) {
            if (!Number.isInteger(each) || each < 0 || each > 0xffffffff) {
                throw new RangeError(`rows are counted in whole numbers from 0, not ${shown(each)}`);
            }
        }
        return this.#made((live) => live.slice(offset, rows ?? Math.max(live.rows() - offset, 0)));
    }

    /** These columns, in this order; a pair gives a column another name. */
    select(columns: Iterable<string | readonly [from: string, to: string]>): Batch {
        const pairs = [...columns].map((each): [number, string] => {
            const [from, to] = typeof each === "string" ? [each, each] : each;
            return [this.schema.place(from), to];
        });
        return this.#made((live) => live.select(pairs));
    }

    /** With a column added behind, or put in place of the one of its name. */
    with(field: Field, values: Values): Batch {
        return this.withColumns([field], [values]);
    }

    /** The same with several columns: a list in the order of the fields, or an object by name. */
    withColumns(
        schema: Schema | readonly Field[],
        columns: readonly Values[] | Readonly<Record<string, Values>>,
    ): Batch {
        const fields = [...schema];
        const list = inOrder(fields, columns);
        const made = fields.map((field, place) => columnToWit(field, given(list[place], field)));
        return this.#made((live) => live.withColumns(fieldsToWit(fields), made));
    }

    /** The columns of another batch, with as many rows and other names, behind these. */
    zip(other: Batch): Batch {
        return this.#made((live) => live.zip(other.#live()));
    }

    /** Columns as an Arrow IPC stream; all unless told. */
    toIpc(columns?: Iterable<string>): Uint8Array {
        const places = [...(columns ?? this.schema.names)].map((name) => this.schema.place(name));
        return asked(() => this.#live().toIpc(places));
    }

    /** The rows of the batches, one after another; at least one batch. */
    static concat(parts: Iterable<Batch>): Batch {
        const handles = [...parts].map((part) => part.#live());
        return new Batch(asked(() => host().batches.concat(handles)));
    }

    /** @internal The handle; the batch cannot be used from then on. */
    give(): WitBatch {
        const live = this.#live();
        this.#handle = undefined;
        return live;
    }

    /** @internal Ends the batch of a call, unless it was given away. */
    end(): void {
        (this.#handle as { [Symbol.dispose]?(): void } | undefined)?.[Symbol.dispose]?.();
        this.#handle = undefined;
    }

    /** @internal Whether it was not given away. */
    get isLive(): boolean {
        return this.#handle !== undefined;
    }

    #made(make: (live: WitBatch) => WitBatch): Batch {
        return new Batch(asked(() => make(this.#live())));
    }

    #live(): WitBatch {
        if (this.#handle === undefined) {
            throw new Error("the batch was given away by answering with it; keep `batch.slice()` to use it later");
        }
        return this.#handle;
    }
}

function inOrder(fields: Field[], columns: readonly Values[] | Readonly<Record<string, Values>>): readonly Values[] {
    const list = isList(columns) ? columns : fields.map((field) => given(columns[field.name], field));
    const extra = isList(columns) ? undefined : Object.keys(columns).find((name) => !fields.some((f) => f.name === name));
    if (extra !== undefined || list.length !== fields.length) {
        const what = extra === undefined ? `${list.length} columns` : `a column \`${extra}\``;
        throw new TypeError(`${what} for the fields ${fields.map((field) => field.name).join(", ")}`);
    }
    return list;
}

function isList(columns: readonly Values[] | Readonly<Record<string, Values>>): columns is readonly Values[] {
    return Array.isArray(columns);
}

function given(values: Values | undefined, field: Field): Values {
    if (values === undefined) {
        throw new TypeError(`there are no values for the column \`${field.name}\``);
    }
    return values;
}
