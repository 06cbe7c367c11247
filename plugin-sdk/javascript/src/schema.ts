/** Columns and their types. */

import { Fault, shown } from "./fault.ts";
import type { WitField } from "./host.ts";
import type { DataType } from "./words.ts";

/** A column's name and type. Without `nullable: false` it may hold nulls. */
export interface Field {
    readonly name: string;
    readonly dataType: DataType;
    readonly nullable: boolean;
    /** timestamp: the time zone, absent = local time; decimal128: "precision,scale"; other: Arrow's name of the type. */
    readonly detail?: string | undefined;
}

/** A field; nullable unless said otherwise. */
export function field(
    name: string,
    dataType: DataType,
    more: { nullable?: boolean; detail?: string | undefined } = {},
): Field {
    return { name, dataType, nullable: more.nullable ?? true, detail: more.detail };
}

/** The columns in their order. Names are unique. */
export class Schema implements Iterable<Field> {
    readonly fields: readonly Field[];
    readonly #places: ReadonlyMap<string, number>;

    constructor(fields: Iterable<Field>) {
        this.fields = [...fields];
        this.#places = new Map(this.fields.map((each, place) => [each.name, place]));
        if (this.#places.size !== this.fields.length) {
            const twice = this.fields.find((each, place) => this.#places.get(each.name) !== place);
            throw new Fault("invalid-config", `there are two columns \`${twice?.name}\`; name one of them otherwise`);
        }
    }

    [Symbol.iterator](): Iterator<Field> {
        return this.fields[Symbol.iterator]();
    }

    get names(): string[] {
        return this.fields.map((each) => each.name);
    }

    has(name: string): boolean {
        return this.#places.has(name);
    }

    /** The position of a column, from 0; a fault that lists those that are there, if it is not. */
    place(name: string): number {
        const place = this.#places.get(name);
        if (place === undefined) {
            throw new Fault("invalid-config", `there is no column \`${name}\`; there is ${this.#listed()}`);
        }
        return place;
    }

    /** A column that the stage cannot do without, of one of the types if any are given. */
    need(name: string, ...dataTypes: DataType[]): Field {
        const found = this.at(this.place(name));
        if (dataTypes.length > 0 && !dataTypes.includes(found.dataType)) {
            const wanted = dataTypes.join(" or ");
            const message = `column \`${name}\` is ${found.dataType}, not ${wanted}; there is ${this.#listed()}`;
            throw new Fault("invalid-config", message);
        }
        return found;
    }

    at(place: number): Field {
        const found = this.fields[place];
        if (found === undefined) {
            throw new RangeError(`there is no column number ${place}`);
        }
        return found;
    }

    /** With a column added behind, or put in place of the one of its name. */
    with(...added: Field[]): Schema {
        const fields = [...this.fields];
        for (const each of added) {
            const place = fields.findIndex((there) => there.name === each.name);
            fields[place < 0 ? fields.length : place] = each;
        }
        return new Schema(fields);
    }

    /** These columns, in this order; a pair gives a column another name. */
    select(columns: Iterable<string | readonly [from: string, to: string]>): Schema {
        return new Schema(
            [...columns].map((each) => {
                const [from, to] = typeof each === "string" ? [each, each] : each;
                return { ...this.need(from), name: to };
            }),
        );
    }

    #listed(): string {
        return this.fields.map((each) => `${each.name} (${each.dataType})`).join(", ") || "none";
    }
}

export function schemaFromWit(fields: WitField[]): Schema {
    return new Schema(fields.map((each) => ({ ...each, detail: each.detail ?? undefined })));
}

export function fieldsToWit(schema: Schema | Iterable<Field>): WitField[] {
    return [...schema].map(({ name, dataType, nullable, detail }) => {
        if (typeof name !== "string" || typeof dataType !== "string") {
            throw new TypeError(`a field has a name and a data type, not ${shown({ name, dataType })}`);
        }
        return { name, dataType, nullable: nullable !== false, detail: detail ?? null };
    });
}
