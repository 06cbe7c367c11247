/** Files of the granted folders, by WASI. */

import filesystem from "wasi:filesystem/types@0.2.12";
import preopens from "wasi:filesystem/preopens@0.2.12";
export type { File, Files, Mode } from "./files.ts";
import { trouble, type File, type Files, type Mode } from "./files.ts";

interface Descriptor {
    openAt(at: object, path: string, how: object, may: object): Descriptor;
    // Sizes and offsets are numbers in this engine.
    read(length: number, offset: number): [Uint8Array, boolean];
    write(bytes: Uint8Array, offset: number): number;
    stat(): { size: number; type: string };
    statAt(at: object, path: string): { size: number; type: string };
    sync(): void;
    readDirectory(): { readDirectoryEntry(): { type: string; name: string } | null | undefined };
    createDirectoryAt(path: string): void;
    unlinkFileAt(path: string): void;
    renameAt(path: string, to: Descriptor, newPath: string): void;
    [Symbol.dispose]?(): void;
}

void filesystem;

/** The most of a file that one call reads or writes. */
const PART = 1 << 20;

function parts(path: string): string[] {
    return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** The granted folder that a path is in, and the rest of the path: the longest that fits. */
function found(path: string, doing: string): [Descriptor, string] {
    const wanted = parts(path);
    const granted = (preopens.getDirectories() as [Descriptor, string][]).map(
        ([folder, name]): [Descriptor, string[]] => [folder, parts(name)],
    );
    const fits = granted.filter(([, name]) => name.every((part, at) => wanted[at] === part));
    fits.sort(([, one], [, other]) => other.length - one.length);
    const best = fits[0];
    if (best === undefined || wanted.includes("..")) {
        throw trouble("not-granted", path, doing);
    }
    return [best[0], wanted.slice(best[1].length).join("/") || "."];
}

function asked<T>(path: string, doing: string, call: () => T): T {
    try {
        return call();
    } catch (error) {
        const payload = error instanceof Error && "payload" in error ? error.payload : error;
        throw typeof payload === "string" ? trouble(payload, path, doing) : error;
    }
}

function at<T>(path: string, doing: string, call: (folder: Descriptor, rest: string) => T): T {
    const [folder, rest] = found(path, doing);
    return asked(path, doing, () => call(folder, rest));
}

class WasiFile implements File {
    readonly #path: string;
    #descriptor: Descriptor | undefined;
    #offset: number;

    constructor(path: string, descriptor: Descriptor, offset: number) {
        this.#path = path;
        this.#descriptor = descriptor;
        this.#offset = offset;
    }

    read(most = PART): Uint8Array {
        const descriptor = this.#live();
        const [bytes] = asked(this.#path, "read", () => descriptor.read(Math.min(most, PART), this.#offset));
        this.#offset += bytes.length;
        return bytes;
    }

    write(content: string | Uint8Array): void {
        const descriptor = this.#live();
        const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
        for (let from = 0; from < bytes.length; ) {
            const part = bytes.slice(from, from + PART);
            const written = asked(this.#path, "written", () => descriptor.write(part, this.#offset));
            this.#offset += written;
            from += written;
        }
    }

    sync(): void {
        const descriptor = this.#live();
        asked(this.#path, "written", () => descriptor.sync());
    }

    close(): void {
        this.#descriptor?.[Symbol.dispose]?.();
        this.#descriptor = undefined;
    }

    #live(): Descriptor {
        if (this.#descriptor === undefined) {
            throw new Error(`${this.#path} was closed`);
        }
        return this.#descriptor;
    }
}

export const openFile: Files["openFile"] = (path: string, mode: Mode = "read") =>
    at(path, mode === "read" ? "read" : "written", (folder, rest) => {
        const how = mode === "read" ? {} : { create: true, truncate: mode === "write" };
        const may = mode === "read" ? { read: true } : { write: true };
        const descriptor = folder.openAt({ symlinkFollow: true }, rest, how, may);
        return new WasiFile(path, descriptor, mode === "append" ? descriptor.stat().size : 0);
    });

export const readBytes: Files["readBytes"] = (path) => {
    const file = openFile(path);
    try {
        const all: Uint8Array[] = [];
        for (let part = file.read(); part.length > 0; part = file.read()) {
            all.push(part);
        }
        const bytes = new Uint8Array(all.reduce((length, part) => length + part.length, 0));
        let end = 0;
        for (const part of all) {
            bytes.set(part, end);
            end += part.length;
        }
        return bytes;
    } finally {
        file.close();
    }
};

export const readText: Files["readText"] = (path) => new TextDecoder().decode(readBytes(path));

export const writeFile: Files["writeFile"] = (path, content) => {
    const file = openFile(path, "write");
    try {
        file.write(content);
        file.sync();
    } finally {
        file.close();
    }
};

export const exists: Files["exists"] = (path) => {
    try {
        return at(path, "read", (folder, rest) => folder.statAt({ symlinkFollow: true }, rest) !== undefined);
    } catch {
        return false;
    }
};

export const list: Files["list"] = (path) =>
    at(path, "read", (folder, rest) => {
        const opened = rest === "." ? folder : folder.openAt({ symlinkFollow: true }, rest, { directory: true }, { read: true });
        const stream = opened.readDirectory();
        const names: string[] = [];
        for (let entry = stream.readDirectoryEntry(); entry; entry = stream.readDirectoryEntry()) {
            names.push(entry.name);
        }
        return names.sort();
    });

export const makeFolder: Files["makeFolder"] = (path) => {
    const all = parts(path);
    const start = path.startsWith("/") ? "/" : "";
    all.forEach((_, last) => {
        const part = start + all.slice(0, last + 1).join("/");
        // The folders above a granted one are not seen.
        if (last < all.length - 1 && !exists(part)) {
            return;
        }
        if (!exists(part)) {
            at(part, "made", (folder, rest) => folder.createDirectoryAt(rest));
        }
    });
};

export const remove: Files["remove"] = (path) => at(path, "removed", (folder, rest) => folder.unlinkFileAt(rest));

export const rename: Files["rename"] = (from, to) => {
    const [folder, rest] = found(to, "written");
    at(from, "moved", (source, name) => source.renameAt(name, folder, rest));
};
