// For each line of a bundle, the file and the line that it was made of: what a stack is translated with.

const DIGITS = new Map([..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].map((digit, at) => [digit, at]));

/** The numbers of a segment of a source map: base 64, six bits a digit, the sixth says that more follow. */
function numbers(segment) {
    const all = [];
    let [value, shift] = [0, 0];
    for (const digit of segment) {
        const bits = DIGITS.get(digit) ?? 0;
        value |= (bits & 31) << shift;
        shift += 5;
        if ((bits & 32) === 0) {
            all.push(value & 1 ? -(value >> 1) : value >> 1);
            [value, shift] = [0, 0];
        }
    }
    return all;
}

/** `named` makes a source's path what people know it by. */
export function lineTable(map, named) {
    const files = map.sources.map(named);
    let [file, line] = [0, 0];
    const lines = map.mappings.split(";").map((segments) => {
        let found = 0;
        for (const segment of segments.split(",")) {
            const [, inFiles, inLines] = segment === "" ? [] : numbers(segment);
            if (inFiles === undefined) {
                continue;
            }
            file += inFiles;
            line += inLines;
            // The first place of a line stands for it.
            found ||= [file, line + 1];
        }
        return found;
    });
    return { files, lines };
}
