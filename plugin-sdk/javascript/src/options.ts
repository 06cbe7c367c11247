/**
 * Options of a stage: described once, they are a JSON Schema for the host and a static type for the stage.
 *
 *     const options = { column: text("What is looked at."), atMost: optional(integer("...", { atLeast: 0 })) };
 *
 * A key `atMost` is `at-most` in pipeline files.
 */

import { Fault, shown } from "./fault.ts";

export type JsonSchema = { [key: string]: unknown };

/** One option: its JSON Schema, and how a value is held to it. */
export interface Option<T> {
    readonly schema: JsonSchema;
    /** What it is if it is not given; without `fallback` it has to be given. */
    readonly fallback?: () => T;
    /** The value, or a fault that says where it does not fit. */
    read(value: unknown, where: string): T;
}

/** Options by name. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** The type of the values of options. */
export type Static<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

interface About<T> {
    /** What it is if the pipeline's author does not give it. */
    default?: T;
}

interface Bounded<T> extends About<T> {
    /** The least number, length of a text, or number of items. */
    atLeast?: number;
    /** The most. */
    atMost?: number;
}

/** A text. */
export function text(description: string, about: Bounded<string> & { pattern?: string } = {}): Option<string> {
    const pattern = about.pattern === undefined ? undefined : new RegExp(about.pattern, "u");
    const bounds = { minLength: about.atLeast, maxLength: about.atMost, pattern: about.pattern };
    return made(description, { type: "string", ...given(bounds) }, about, (value, where) => {
        if (typeof value !== "string") {
            throw wrong(where, value, "a text");
        }
        if (pattern !== undefined && !pattern.test(value)) {
            throw wrong(where, value, `a text that fits ${about.pattern}`);
        }
        return bounded(value, [...value].length, about, where, "characters");
    });
}

/** A whole number, exact up to 2^53. */
export function integer(description: string, about: Bounded<number> = {}): Option<number> {
    const bounds = { minimum: about.atLeast, maximum: about.atMost };
    return made(description, { type: "integer", ...given(bounds) }, about, (value, where) => {
        if (typeof value !== "number" || !Number.isSafeInteger(value)) {
            throw wrong(where, value, "a whole number of at most 2^53 - 1");
        }
        return bounded(value, value, about, where);
    });
}

/** A number. */
export function number(description: string, about: Bounded<number> = {}): Option<number> {
    const bounds = { minimum: about.atLeast, maximum: about.atMost };
    return made(description, { type: "number", ...given(bounds) }, about, (value, where) => {
        if (typeof value !== "number") {
            throw wrong(where, value, "a number");
        }
        return bounded(value, value, about, where);
    });
}

/** True or false. */
export function flag(description: string, about: About<boolean> = {}): Option<boolean> {
    return made(description, { type: "boolean" }, about, (value, where) => {
        if (typeof value !== "boolean") {
            throw wrong(where, value, "true or false");
        }
        return value;
    });
}

/** One of some texts. */
export function oneOf<const T extends string>(
    description: string,
    choices: readonly T[],
    about: About<NoInfer<T>> = {},
): Option<T> {
    return made(description, { enum: [...choices] }, about, (value, where) => {
        if (!choices.includes(value as T)) {
            throw wrong(where, value, choices.map(shown).join(" or "));
        }
        return value as T;
    });
}

/** A list. */
export function list<T>(description: string, item: Option<T>, about: Bounded<readonly T[]> = {}): Option<readonly T[]> {
    const bounds = { minItems: about.atLeast, maxItems: about.atMost };
    return made(description, { type: "array", items: item.schema, ...given(bounds) }, about, (value, where) => {
        if (!Array.isArray(value)) {
            throw wrong(where, value, "a list");
        }
        const read = value.map((each, place) => item.read(each, `${where}[${place}]`));
        return bounded(read, read.length, about, where, "items");
    });
}

/** A table of values under names that are free. */
export function table<T>(
    description: string,
    item: Option<T>,
    about: About<Readonly<Record<string, T>>> = {},
): Option<Readonly<Record<string, T>>> {
    return made(description, { type: "object", additionalProperties: item.schema }, about, (value, where) => {
        const entries = Object.entries(object(value, where));
        return Object.fromEntries(entries.map(([name, each]) => [name, item.read(each, `${where}.${name}`)]));
    });
}

/** Options within options. */
export function group<O extends Options>(description: string, options: O): Option<Static<O>> {
    return made(description, objectSchema(options), {}, (value, where) => readObject(options, value, where));
}

/** An option that may be left out. */
export function optional<T>(option: Option<T>): Option<T | undefined> {
    return { ...option, fallback: () => undefined };
}

/** The JSON Schema (draft 2020-12) of options. */
export function schemaOf(options: Options): JsonSchema {
    return { $schema: "https://json-schema.org/draft/2020-12/schema", ...objectSchema(options) };
}

/**
 * Options from JSON text. The host holds them to the schema before; here they are held to the same again, so that tests
 * without a host find what does not fit.
 */
export function readOptions<O extends Options>(options: O, json: string): Static<O> {
    let value: unknown;
    try {
        value = JSON.parse(json);
    } catch (error) {
        throw new Fault("invalid-config", `the options are no JSON: ${String(error)}`);
    }
    return readObject(options, value, "");
}

function made<T>(
    description: string,
    schema: JsonSchema,
    about: About<T>,
    read: (value: unknown, where: string) => T,
): Option<T> {
    const fallback = about.default;
    if (fallback === undefined) {
        return { schema: { ...schema, description }, read };
    }
    return { schema: { ...schema, description, default: fallback }, read, fallback: () => fallback };
}

function objectSchema(options: Options): JsonSchema {
    const entries = Object.entries(options);
    const required = entries.filter(([, option]) => option.fallback === undefined).map(([key]) => inFiles(key));
    return {
        type: "object",
        properties: Object.fromEntries(entries.map(([key, option]) => [inFiles(key), option.schema])),
        ...(required.length > 0 ? { required } : {}),
        additionalProperties: false,
    };
}

function readObject<O extends Options>(options: O, value: unknown, where: string): Static<O> {
    const given = object(value, where);
    const names = new Map(Object.keys(options).map((key) => [inFiles(key), key]));
    const dot = where === "" ? "" : `${where}.`;
    for (const name of Object.keys(given)) {
        if (!names.has(name)) {
            const message = `there is no option \`${dot}${name}\`; there is ${[...names.keys()].join(", ") || "none"}`;
            throw new Fault("invalid-config", message);
        }
    }
    const read = [...names].map(([name, key]): [string, unknown] => {
        const option = options[key] as Option<unknown>;
        const value = Object.hasOwn(given, name) ? given[name] : undefined;
        if (value !== undefined) {
            return [key, option.read(value, dot + name)];
        }
        if (option.fallback === undefined) {
            throw new Fault("invalid-config", `the option \`${dot}${name}\` is missing: ${String(option.schema["description"])}`);
        }
        return [key, option.fallback()];
    });
    return Object.fromEntries(read) as Static<O>;
}

function object(value: unknown, where: string): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw wrong(where, value, "a table");
    }
    return value as Record<string, unknown>;
}

/** `atMost` is `at-most` in pipeline files. */
function inFiles(key: string): string {
    return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function given(bounds: JsonSchema): JsonSchema {
    return Object.fromEntries(Object.entries(bounds).filter(([, bound]) => bound !== undefined));
}

function bounded<T>(value: T, size: number, about: Pick<Bounded<unknown>, "atLeast" | "atMost">, where: string, of?: string): T {
    const { atLeast = -Infinity, atMost = Infinity } = about;
    if (size < atLeast || size > atMost) {
        const bound = size < atLeast ? `at least ${atLeast}` : `at most ${atMost}`;
        throw wrong(where, value, of === undefined ? bound : `of ${bound} ${of}`);
    }
    return value;
}

function wrong(where: string, value: unknown, wanted: string): Fault {
    const name = where === "" ? "the options are" : `the option \`${where}\` is`;
    return new Fault("invalid-config", `${name} ${shown(value)}; it has to be ${wanted}`);
}
