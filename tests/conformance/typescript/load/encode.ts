/** Values as JSON. */

import { type Batch, type DataType, dateText, type Field, timestampText, type Value } from "sluicebox";

/** The shortest text that is read as the same number, which is how numbers are written anyway, but for the zero below zero. */
function number(value: Value): string | null {
    return Number.isFinite(value) ? (Object.is(value, -0) ? "-0" : String(value)) : null;
}
const plain = (value: Value): string => String(value);

/** How the values of each type are written; null for what JSON has no word for. */
const ENCODERS: Partial<Record<DataType, (value: Value) => string | null>> = {
    boolean: plain,
    int8: plain,
    int16: plain,
    int32: plain,
    int64: plain,
    uint8: plain,
    uint16: plain,
    uint32: plain,
    uint64: plain,
    // The shortest text that is read as the same number of 32 bits.
    float32: (value) => {
        const values = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((digits) => Number((value as number).toPrecision(digits)));
        return number(values.find((near) => Object.is(Math.fround(near), value)) ?? value);
    },
    float64: number,
    utf8: (value) => JSON.stringify(value),
    date32: (value) => `"${dateText(value as number)}"`,
    timestamp: (value) => `"${timestampText(value as bigint)}"`,
};

/** Whether columns of this type can be written. */
export function canWrite(field: Field): boolean {
    return ENCODERS[field.dataType] !== undefined;
}

/** The rows of a batch as lines. */
export function lines(batch: Batch): string {
    const names = batch.schema.names.map((name) => JSON.stringify(name));
    const columns = batch.schema.fields.map(({ name, dataType }) => {
        const encode = ENCODERS[dataType];
        return batch.values(name).map((value) => (value === null ? "null" : (encode?.(value) ?? "null")));
    });
    const rows = Array.from({ length: batch.rows }, (_, row) => {
        const cells = columns.map((column, place) => `${names[place]}:${column[row]}`);
        return `{${cells.join(",")}}\n`;
    });
    return rows.join("");
}
