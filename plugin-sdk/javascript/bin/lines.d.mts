export function lineTable(
    map: { sources: string[]; mappings: string },
    named: (source: string) => string,
): { files: string[]; lines: ([file: number, line: number] | 0)[] };
