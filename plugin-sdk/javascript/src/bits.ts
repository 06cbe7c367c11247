/** One bit a row, least significant first. */

import { shown } from "./fault.ts";

/** Which rows: a function of the row, one value a row, or the bits themselves. */
export type Mask = Uint8Array | readonly (boolean | null)[] | ((row: number) => boolean);

export function bit(bits: Uint8Array, row: number): boolean {
    return (((bits[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
}

export function bitsOf(rows: number, holds: (row: number) => boolean): Uint8Array {
    const bits = new Uint8Array(Math.ceil(rows / 8));
    for (let row = 0; row < rows; row++) {
        if (holds(row)) {
            bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
        }
    }
    return bits;
}

/** The bits of a mask; null is no. */
export function maskBits(mask: Mask, rows: number): Uint8Array {
    if (mask instanceof Uint8Array) {
        const needed = Math.ceil(rows / 8);
        if (mask.length !== needed) {
            throw new RangeError(`the mask has ${mask.length} bytes; for ${rows} rows it is ${needed}, a bit a row`);
        }
        return mask;
    }
    if (typeof mask === "function") {
        return bitsOf(rows, mask);
    }
    if (mask.length !== rows) {
        throw new RangeError(`the mask has ${mask.length} values; there are ${rows} rows`);
    }
    return bitsOf(rows, (row) => {
        const value = mask[row];
        if (typeof value !== "boolean" && value !== null) {
            throw new TypeError(`the mask holds true, false and null, not ${shown(value)} (row ${row})`);
        }
        return value === true;
    });
}
