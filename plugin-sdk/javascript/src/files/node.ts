/** Files of this machine, for tests. */

import * as fs from "node:fs";
export type { File, Files, Mode } from "./files.ts";
import { trouble, type File, type Files, type Mode } from "./files.ts";

const CODES: Readonly<Record<string, string>> = {
    ENOENT: "no-entry",
    EACCES: "access",
    EPERM: "not-permitted",
    EROFS: "read-only",
    EEXIST: "exist",
    EISDIR: "is-directory",
    ENOTDIR: "not-directory",
    ENAMETOOLONG: "name-too-long",
    ENOTEMPTY: "not-empty",
    ENOSPC: "insufficient-space",
    EDQUOT: "quota",
    EIO: "io",
    EBUSY: "busy",
    EAGAIN: "would-block",
    EINTR: "interrupted",
};

function asked<T>(path: string, doing: string, call: () => T): T {
    try {
        return call();
    } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        throw code in CODES ? trouble(CODES[code] ?? code, path, doing) : error;
    }
}

export const openFile: Files["openFile"] = (path: string, mode: Mode = "read"): File => {
    const flags = { read: "r", write: "w", append: "a" }[mode];
    const file = asked(path, mode === "read" ? "read" : "written", () => fs.openSync(path, flags));
    return {
        read(most = 1 << 20) {
            const bytes = new Uint8Array(most);
            return bytes.slice(0, asked(path, "read", () => fs.readSync(file, bytes)));
        },
        write(content) {
            const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
            for (let from = 0; from < bytes.length; ) {
                from += asked(path, "written", () => fs.writeSync(file, bytes, from));
            }
        },
        sync: () => asked(path, "written", () => fs.fsyncSync(file)),
        close: () => fs.closeSync(file),
    };
};

export const readBytes: Files["readBytes"] = (path) =>
    asked(path, "read", () => new Uint8Array(fs.readFileSync(path)));

export const readText: Files["readText"] = (path) => new TextDecoder().decode(readBytes(path));

export const writeFile: Files["writeFile"] = (path, content) => asked(path, "written", () => fs.writeFileSync(path, content));

export const exists: Files["exists"] = (path) => fs.existsSync(path);

export const list: Files["list"] = (folder) => asked(folder, "read", () => fs.readdirSync(folder).sort());

export const makeFolder: Files["makeFolder"] = (path) => {
    asked(path, "made", () => fs.mkdirSync(path, { recursive: true }));
};

export const remove: Files["remove"] = (path) => asked(path, "removed", () => fs.unlinkSync(path));

export const rename: Files["rename"] = (from, to) => asked(from, "moved", () => fs.renameSync(from, to));
