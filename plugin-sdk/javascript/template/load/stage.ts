import { dateText, Fault, load, text, timestampText, type Value } from "sluicebox";
import { exists, type File, openFile, remove, rename } from "sluicebox/files";

/** Beside the target, so that it can take its place in one step; by load, so that a later try replaces it. */
function temporaryOf(path: string, loadId: string): string {
    const end = path.lastIndexOf("/") + 1;
    return `${path.slice(0, end)}.${path.slice(end)}.${loadId.replaceAll("/", "_")}`;
}

/** A value without tabs and line ends; a null is nothing. */
function textOf(value: Value | null, dataType: string): string {
    if (value === null) {
        return "";
    }
    if (dataType === "date32") {
        return dateText(value as number);
    }
    if (dataType === "timestamp") {
        return timestampText(value as bigint);
    }
    return String(value).replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n");
}

/** Writes rows as lines of text with tabs between the values. */
export default load({
    name: "{{name}}",
    summary: "Writes rows as lines with tabs",
    capabilities: ["write-files"],
    options: { path: text("The file to write; its folder has to be granted: `grants.write`.", { atLeast: 1 }) },
    // Called once, also to check a pipeline: find here what does not fit, and change nothing outside.
    open({ options, schema, loadId }) {
        const unfit = schema.fields.find(({ dataType }) => ["binary", "decimal128", "other"].includes(dataType));
        if (unfit !== undefined) {
            throw new Fault("invalid-config", `column "${unfit.name}" is ${unfit.dataType}; drop it, or cast it before`);
        }
        const temporary = temporaryOf(options.path, loadId);
        const line = (cells: string[]) => `${cells.join("\t")}\n`;
        let file: File | undefined;
        const opened = (): File => {
            if (file === undefined) {
                file = openFile(temporary, "write");
                file.write(line(schema.names.map((name) => textOf(name, "utf8"))));
            }
            return file;
        };
        return {
            // Called for each batch: writes where nobody looks yet.
            write(batch) {
                const columns = schema.fields.map(({ name, dataType }) =>
                    batch.values(name).map((value) => textOf(value, dataType)),
                );
                const lines = Array.from({ length: batch.rows }, (_, row) => line(columns.map((column) => column[row] ?? "")));
                opened().write(lines.join(""));
            },
            // Makes what was written durable, but not seen yet. The receipt says what `commit` has to know.
            prepare() {
                opened().sync();
                opened().close();
                return JSON.stringify({ temporary, path: options.path });
            },
        };
    },
    // Shows it, once all loads of the run have prepared. May come again, and on a fresh instance.
    commit({ receipts }) {
        for (const receipt of receipts) {
            const { temporary, path } = JSON.parse(receipt) as { temporary: string; path: string };
            if (exists(temporary) || !exists(path)) {
                rename(temporary, path);
            }
        }
    },
    // Takes back what was written; never what was committed. May come again, and on a fresh instance.
    abort({ options, loadId }) {
        const temporary = temporaryOf(options.path, loadId);
        if (exists(temporary)) {
            remove(temporary);
        }
    },
});
