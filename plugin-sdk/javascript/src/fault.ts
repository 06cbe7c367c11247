/** Why a stage could not do what it was asked. */

import type { WitFault } from "./host.ts";

/**
 * - `invalid-config`: the options do not fit, the author of the pipeline has to change the file
 * - `invalid-data`: the data cannot be worked on
 * - `denied`: something was needed that the stage was not granted
 * - `unavailable`: something outside does not answer now; the only kind that is worth trying again
 * - `internal`: a mistake in the stage itself
 */
export type FaultKind = (typeof KINDS)[number];

const KINDS = ["invalid-config", "invalid-data", "denied", "unavailable", "internal"] as const;

/** The host keeps 16 KiB of a message. */
const STACK_MAX = 12 * 1024;

/** Throw it to say what is wrong, where, and what to do instead. */
export class Fault extends Error {
    override readonly name = "Fault";
    readonly kind: FaultKind;
    /** The first row at fault, counted from 0 within the batch of this call. */
    readonly row: number | undefined;

    constructor(kind: FaultKind, message: string, row?: number | null) {
        super(message);
        if (!KINDS.includes(kind)) {
            throw new TypeError(`a fault is ${KINDS.join(", ")}, not \`${String(kind)}\``);
        }
        if (row !== undefined && row !== null && !(Number.isInteger(row) && row >= 0 && row <= 0xffffffff)) {
            throw new TypeError(`a row is a whole number from 0, not ${String(row)}`);
        }
        this.kind = kind;
        this.row = row ?? undefined;
    }
}

/** Makes a call to the host; a fault that it answers with is thrown as a `Fault`. */
export function asked<T>(call: () => T): T {
    try {
        return call();
    } catch (error) {
        throw toldByHost(error) ?? error;
    }
}

function toldByHost(error: unknown): Fault | undefined {
    const payload = error instanceof Error && "payload" in error ? error.payload : error;
    if (typeof payload !== "object" || payload === null || !("kind" in payload) || !("message" in payload)) {
        return undefined;
    }
    const told = payload as WitFault;
    return KINDS.includes(told.kind) ? new Fault(told.kind, String(told.message), told.row) : undefined;
}

/** The fault of the contract that a thrown thing is: a `Fault` as it is, all else with its stack. */
export function faultOf(thrown: unknown): WitFault {
    if (thrown instanceof Fault) {
        return { kind: thrown.kind, message: wellFormed(thrown.message), row: thrown.row ?? null };
    }
    const told = toldByHost(thrown);
    if (told !== undefined) {
        return { kind: told.kind, message: told.message, row: told.row ?? null };
    }
    return { kind: "internal", message: wellFormed(described(thrown)), row: null };
}

function described(thrown: unknown, depth = 0): string {
    if (!(thrown instanceof Error)) {
        return `thrown: ${shown(thrown)}`;
    }
    const said = `${thrown.name}: ${thrown.message}`.slice(0, 2048);
    const stack = located(thrown.stack ?? "");
    // V8 begins a stack with the message, QuickJS does not.
    const trace = stack.startsWith(thrown.name) ? stack.slice(stack.search(/\n\s+at /) + 1) : stack;
    const text = trace === "" ? said : `${said}\n${trace.trimEnd()}`;
    const caused = thrown.cause !== undefined && depth < 4 ? `\ncaused by ${described(thrown.cause, depth + 1)}` : "";
    return (text + caused).slice(0, STACK_MAX);
}

/** What the build knows of the lines of the bundle: for each, the file and the line that it was made of. */
type Lines = { files: string[]; lines: ([file: number, line: number] | 0)[] };

/** Puts the lines of the sources in place of those of the bundle. */
function located(stack: string): string {
    const table = (globalThis as { __sluiceboxLines?: Lines }).__sluiceboxLines;
    if (table === undefined) {
        return stack;
    }
    return stack
        .split("\n")
        .map((line) =>
            line.replace(/\(?[^\s()]*(?:stage|user)\.js:(\d+)(?::\d+)?\)?/, (whole, number: string) => {
                const found = table.lines[Number(number) - 1];
                return found ? `(${table.files[found[0]] ?? "?"}:${found[1]})` : whole;
            }),
        )
        .filter((line) => !line.includes("(sluicebox:"))
        .join("\n");
}

/** A value as people read it. */
export function shown(value: unknown): string {
    if (typeof value === "bigint") {
        return `${value}n`;
    }
    try {
        const text = JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}n` : each));
        return (text ?? String(value)).slice(0, 200);
    } catch {
        return String(value).slice(0, 200);
    }
}

/** Text without halves of characters: those cannot cross. */
export function wellFormed(text: string): string {
    return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\ufffd");
}
