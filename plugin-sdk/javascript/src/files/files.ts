/** What `sluicebox/files` offers, in a component and in tests. */

import { Fault, type FaultKind } from "../fault.ts";

/** `write` begins with an empty file, `append` goes on behind what is there; both make the file. */
export type Mode = "read" | "write" | "append";

/** An open file. */
export interface File {
    /** The next bytes, at most so many; none at the end. */
    read(most?: number): Uint8Array;
    write(content: string | Uint8Array): void;
    /** Waits until what was written is durable. */
    sync(): void;
    close(): void;
}

/** Files of the folders that the stage was granted. Paths are those of the pipeline file. */
export interface Files {
    openFile(path: string, mode?: Mode): File;
    readBytes(path: string): Uint8Array;
    readText(path: string): string;
    /** Writes a whole file, durably. */
    writeFile(path: string, content: string | Uint8Array): void;
    exists(path: string): boolean;
    /** The names in a folder, sorted. */
    list(folder: string): string[];
    /** Makes a folder and those above it, unless they are there. */
    makeFolder(path: string): void;
    remove(path: string): void;
    /** In one step; a file that is there is replaced. */
    rename(from: string, to: string): void;
}

/** As in all SDKs: docs/plugins.md has the table. */
const KINDS: Readonly<Record<string, FaultKind>> = {
    "not-granted": "denied",
    access: "denied",
    "not-permitted": "denied",
    "read-only": "denied",
    "no-entry": "invalid-config",
    exist: "invalid-config",
    "is-directory": "invalid-config",
    "not-directory": "invalid-config",
    "name-too-long": "invalid-config",
    "not-empty": "invalid-config",
    "insufficient-space": "unavailable",
    quota: "unavailable",
    io: "unavailable",
    busy: "unavailable",
    "would-block": "unavailable",
    interrupted: "unavailable",
};

const WORDS: Readonly<Record<string, string>> = {
    "not-granted": "it is in no folder that the stage was granted: add its folder to grants.read, or grants.write, of the stage",
    access: "the stage was not granted to do so: grants.write of the stage lets it write there",
    "not-permitted": "the stage was not granted to do so: grants.write of the stage lets it write there",
    "read-only": "the stage was granted to read there; grants.write lets it write",
    "no-entry": "there is no such file",
};

/** The fault that an error of files is. `code` is WASI's word. */
export function trouble(code: string, path: string, doing: string): Fault {
    return new Fault(KINDS[code] ?? "internal", `${path} cannot be ${doing}: ${WORDS[code] ?? code}`);
}
