import { Batch, extract, Fault, field, integer, quarantine, Schema, text } from "sluicebox";
import { readText } from "sluicebox/files";

const SCHEMA = new Schema([field("city", "utf8", { nullable: false }), field("celsius", "float64", { nullable: false })]);

/** Reads lines such as `Oslo 4.5` into rows. */
export default extract({
    name: "{{name}}",
    summary: "Reads cities and their temperatures",
    capabilities: ["read-files"],
    options: {
        path: text("The file to read; its folder has to be granted: `grants.read`.", { atLeast: 1 }),
        pageRows: integer("How many rows a batch has.", { default: 8192, atLeast: 1, atMost: 65536 }),
    },
    // Called once, also to check a pipeline: find here what does not fit, and answer with the columns.
    open({ options, bookmark }) {
        const skip = Number(bookmark ?? 0); // lines that earlier runs have read
        if (!Number.isSafeInteger(skip)) {
            throw new Fault("invalid-config", `the bookmark "${bookmark}" is no number of lines`);
        }
        const lines = readText(options.path).split("\n");
        if (lines.at(-1) === "") {
            lines.pop();
        }
        return {
            schema: SCHEMA,
            // The host takes one page after another, as it has room.
            *pages() {
                let cities: string[] = [];
                let celsius: number[] = [];
                const page = (line: number) => {
                    const batch = Batch.of(SCHEMA, [cities, celsius]);
                    [cities, celsius] = [[], []];
                    return { batch, bookmark: String(line), progress: lines.length === 0 ? 1 : line / lines.length };
                };
                for (let line = skip + 1; line <= lines.length; line++) {
                    const found = /^(.*\S)\s+(-?[\d.]+)\s*$/.exec(lines[line - 1] ?? "");
                    const number = Number(found?.[2]);
                    if (found?.[1] === undefined || Number.isNaN(number)) {
                        const content = lines[line - 1] ?? "";
                        quarantine({ origin: `${options.path}:${line}`, content, reason: "it is no city and a number" });
                        continue;
                    }
                    cities.push(found[1]);
                    celsius.push(number);
                    if (cities.length === options.pageRows) {
                        yield page(line);
                    }
                }
                yield page(Math.max(skip, lines.length));
            },
        };
    },
});
