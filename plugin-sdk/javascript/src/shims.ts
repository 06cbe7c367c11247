/** What QuickJS does not have and code expects: `console`, `TextEncoder`, `TextDecoder`. Import it first. */

import { shown } from "./fault.ts";
import { log } from "./report.ts";
import type { Level } from "./words.ts";

function line(level: Level): (...values: unknown[]) => void {
    return (...values) => log(level, values.map(printed).join(" "));
}

function printed(value: unknown): string {
    if (typeof value === "string") {
        return value;
    }
    return value instanceof Error ? `${value.name}: ${value.message}\n${value.stack ?? ""}` : shown(value);
}

export const console = {
    debug: line("debug"),
    trace: line("debug"),
    log: line("info"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    assert(holds: unknown, ...values: unknown[]) {
        if (!holds) {
            console.error("assertion failed:", ...values);
        }
    },
};

/** UTF-8 of text; half characters become U+FFFD, as everywhere. */
export class TextEncoder {
    readonly encoding = "utf-8";

    encode(text = ""): Uint8Array {
        // The engine's own conversion, by way of one character a byte; a loop of ours would be far slower.
        const bytes = unescape(encodeURIComponent(text.toWellFormed()));
        const data = new Uint8Array(bytes.length);
        for (let i = 0; i < data.length; i++) {
            data[i] = bytes.charCodeAt(i);
        }
        return data;
    }
}

/** Text of UTF-8. */
export class TextDecoder {
    readonly encoding = "utf-8";
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;

    constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
        if (!/^\s*(unicode-1-1-utf-8|utf-?8)\s*$/i.test(label)) {
            throw new RangeError(`only utf-8 is there, not ${label}`);
        }
        this.fatal = options.fatal ?? false;
        this.ignoreBOM = options.ignoreBOM ?? false;
    }

    decode(input: ArrayBuffer | ArrayBufferView = new Uint8Array(0)): string {
        const bytes = ArrayBuffer.isView(input)
            ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
            : new Uint8Array(input);
        const text = this.#text(bytes);
        return !this.ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
    }

    #text(bytes: Uint8Array): string {
        let raw = "";
        for (let at = 0; at < bytes.length; at += 8192) {
            raw += String.fromCharCode(...bytes.subarray(at, at + 8192));
        }
        if (!/[\x80-\xff]/.test(raw)) {
            return raw;
        }
        try {
            return decodeURIComponent(escape(raw));
        } catch {
            if (this.fatal) {
                throw new TypeError("the bytes are no UTF-8");
            }
            return replaced(bytes);
        }
    }
}

/** Bytes that are no UTF-8 as text with U+FFFD in place of each longest part that cannot go on. */
function replaced(bytes: Uint8Array): string {
    let text = "";
    for (let at = 0; at < bytes.length; ) {
        const first = bytes[at++] ?? 0;
        if (first < 0x80) {
            text += String.fromCharCode(first);
            continue;
        }
        const more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
        let code = first & (0x3f >> more);
        let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
        let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
        let seen = 0;
        for (; seen < more; seen++) {
            const next = bytes[at] ?? 0;
            if (at >= bytes.length || next < low || next > high) {
                break;
            }
            code = (code << 6) | (next & 0x3f);
            [low, high] = [0x80, 0xbf];
            at++;
        }
        text += more > 0 && seen === more ? String.fromCodePoint(code) : "\ufffd";
    }
    return text;
}

for (const [name, value] of Object.entries({ console, TextEncoder, TextDecoder })) {
    if (!(name in globalThis)) {
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    }
}
