/** What every stage may tell its run. */

import { shown, wellFormed } from "./fault.ts";
import { host } from "./host.ts";
import type { Level } from "./words.ts";

/** A record that could not be made a row, e.g. a broken line of a file. */
export interface BadRecord {
    /** Where it stood, e.g. "data/flights.csv:17". */
    origin: string;
    /** The record as it was found. */
    content: string;
    /** What is wrong with it. */
    reason: string;
}

/** A line of the stage's log. `console` goes there too. */
export function log(level: Level, message: string): void {
    host().report.log(level, wellFormed(message));
}

/** Adds to a counter of the stage, shown with its outcome. */
export function count(name: string, by = 1): void {
    if (!Number.isSafeInteger(by) || by < 0) {
        throw new TypeError(`a counter goes up by whole numbers, not by ${shown(by)}`);
    }
    host().report.count(name, by);
}

/** Sets records aside instead of losing them or failing. */
export function quarantine(...records: BadRecord[]): void {
    host().report.quarantine(
        records.map(({ origin, content, reason }) => ({
            origin: wellFormed(origin),
            content: wellFormed(content),
            reason: wellFormed(reason),
        })),
    );
}
