/** Days and microseconds as text. */

const DAY = 86_400_000_000n;

/** A date32, days since 1970-01-01, as `YYYY-MM-DD`. */
export function dateText(days: number): string {
    // The proleptic Gregorian calendar in eras of 400 years that begin on 1 March; `Date` ends at the year 275760.
    const shifted = days + 719_468;
    const era = Math.floor(shifted / 146_097);
    const day = shifted - era * 146_097;
    const year = Math.floor((day - Math.floor(day / 1460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365);
    const dayOfYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
    const part = Math.floor((5 * dayOfYear + 2) / 153);
    const month = part < 10 ? part + 3 : part - 9;
    const civil = year + era * 400 + (month <= 2 ? 1 : 0);
    const sign = civil < 0 ? "-" : "";
    return `${sign}${pad(Math.abs(civil), 4)}-${pad(month)}-${pad(dayOfYear - Math.floor((153 * part + 2) / 5) + 1)}`;
}

/** A timestamp, microseconds since 1970-01-01T00:00:00, as `YYYY-MM-DDTHH:MM:SS[.ffffff]`. */
export function timestampText(microseconds: bigint): string {
    const within = ((microseconds % DAY) + DAY) % DAY;
    const days = Number((microseconds - within) / DAY);
    const micros = Number(within);
    const seconds = Math.floor(micros / 1_000_000);
    const rest = micros % 1_000_000;
    const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((each) => pad(each));
    return `${dateText(days)}T${time.join(":")}${rest === 0 ? "" : `.${pad(rest, 6)}`}`;
}

/** A timestamp as a `Date`, to the millisecond. */
export function dateOf(microseconds: bigint): Date {
    return new Date(Number(BigInt.asIntN(64, microseconds) / 1000n));
}

function pad(number: number, width = 2): string {
    return String(number).padStart(width, "0");
}
