import { Fault, type FaultKind, load, oneOf, text } from "sluicebox";
import { exists, type File, list, openFile, remove, rename } from "sluicebox/files";
import { canWrite, lines } from "./encode.ts";

function failIn({ fail, kind }: { fail: string; kind: string }, call: string): void {
    if (fail === call) {
        throw new Fault(kind as FaultKind, `told to fail in ${call}`);
    }
}

/** How the temporary files of a load begin: beside the target, so that they can take its place in one step. */
function temporaryPrefix(path: string, loadId: string): [folder: string, start: string] {
    const end = path.lastIndexOf("/") + 1;
    return [path.slice(0, end), `.${path.slice(end)}.${loadId.replace(/[^A-Za-z0-9._-]/g, "_")}.part-`];
}

/** The load of the conformance suite: lines of JSON, and a fault where it is told to. */
export default load({
    name: "conform-load-typescript",
    summary: "What a load can do, for the conformance suite",
    capabilities: ["write-files"],
    options: {
        path: text("The file to write; its folder has to be granted.", { atLeast: 1 }),
        fail: oneOf("The call that fails.", ["", "open", "write", "prepare", "commit", "abort"], { default: "" }),
        kind: text("The kind of that fault.", { default: "unavailable" }),
    },
    open({ options, schema, loadId, part }) {
        failIn(options, "open");
        const unfit = schema.fields.find((field) => !canWrite(field));
        if (unfit !== undefined) {
            throw new Fault("invalid-config", `column ${unfit.name} is ${unfit.dataType}; drop it, or cast it before`);
        }
        const temporary = temporaryPrefix(options.path, loadId).join("") + part;
        let file: File | undefined;
        // What an earlier try left there is replaced.
        const opened = () => (file ??= openFile(temporary, "write"));
        return {
            write(batch) {
                failIn(options, "write");
                opened().write(lines(batch));
            },
            prepare() {
                failIn(options, "prepare");
                // Without a batch there is a file as well, an empty one.
                opened().sync();
                opened().close();
                return JSON.stringify({ temporary, path: options.path });
            },
        };
    },
    commit({ options, receipts }) {
        failIn(options, "commit");
        for (const receipt of receipts) {
            const { temporary, path } = JSON.parse(receipt) as { temporary: string; path: string };
            // It was committed before where the one is gone and the other there.
            if (exists(temporary) || !exists(path)) {
                rename(temporary, path);
            }
        }
    },
    abort({ options, loadId }) {
        failIn(options, "abort");
        const [folder, start] = temporaryPrefix(options.path, loadId);
        const names = exists(folder || ".") ? list(folder || ".") : [];
        names.filter((name) => name.startsWith(start)).forEach((name) => remove(folder + name));
    },
});
