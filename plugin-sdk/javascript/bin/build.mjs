// Makes a component of a stage's project: a bundle by esbuild, run by QuickJS within the component.
//
//   node build.mjs --tools NODE_MODULES --kind KIND --project FOLDER --out FILE.wasm
//
// What does not compile is told as `stage.ts:LINE:COLUMN: error: ...`, the first error first; the exit code is 1 then.

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { lineTable } from "./lines.mjs";

const sdk = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const options = Object.fromEntries(
    process.argv.slice(2).reduce((pairs, word, at, all) => (at % 2 === 0 ? [...pairs, [word.slice(2), all[at + 1]]] : pairs), []),
);
const project = realpathSync(options.project);
const tools = realpathSync(options.tools);
const require = createRequire(join(tools, "none.js"));

class Refused extends Error {}

function stage() {
    const found = ["stage.ts", "stage.js", "stage.mjs"].map((name) => join(project, name)).find(existsSync);
    if (found === undefined) {
        throw new Refused(`there is no stage.ts in ${project}; it is the module that has the stage`);
    }
    return found;
}

async function bundle(entry) {
    const { build } = require("esbuild");
    try {
        return await build({
            entryPoints: [join(sdk, "src/component", `${options.kind}.ts`)],
            alias: {
                sluicebox: join(sdk, "src/index.ts"),
                "sluicebox/files": join(sdk, "src/files/wasi.ts"),
                "sluicebox-stage": entry,
            },
            absWorkingDir: project,
            bundle: true,
            external: ["sluicebox:*", "wasi:*"],
            format: "esm",
            keepNames: true,
            logLevel: "silent",
            mainFields: ["module", "main"],
            metafile: true,
            outfile: "stage.js",
            platform: "neutral",
            sourcemap: "external",
            sourcesContent: false,
            target: "es2023",
            write: false,
        });
    } catch (error) {
        const told = (error.errors ?? []).map(({ text, location }) => {
            const place = location ? `${location.file}:${location.line}:${location.column + 1}: ` : "";
            return `${place}error: ${text}${location?.lineText ? `\n  ${location.lineText.trim()}` : ""}`;
        });
        throw new Refused(told.length > 0 ? told.join("\n") : String(error));
    }
}

/** What the type checker says; nothing where the project has no tsconfig.json. */
function typeErrors() {
    if (!existsSync(join(project, "tsconfig.json"))) {
        return Promise.resolve("");
    }
    const program = join(tools, ".bin", "tsc");
    const roots = join(tools, "@types");
    const call = ["--noEmit", "--pretty", "false", "--typeRoots", roots, "--project", project];
    return new Promise((done) => {
        execFile(program, call, { cwd: project, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
            // stage.ts(3,7): error TS2322: ...
            const lines = (stdout + stderr).replace(/^(\S[^\n(]*)\((\d+),(\d+)\): error/gm, "$1:$2:$3: error");
            done(error ? lines.trim() || String(error) : "");
        });
    });
}

/**
 * The folder of the contract. This engine ends what it was lent too late, so it is told that `check` is given the batch for
 * good; the SDK ends it in time, and `sluicebox plugin build` makes the component's type what the contract says.
 */
function contract() {
    const folder = mkdtempSync(join(tmpdir(), "sluicebox-wit-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    cpSync(join(sdk, "wit"), folder, { recursive: true });
    const file = join(folder, "deps/stage/stage.wit");
    const [lent, given] = ["check: func(batch: borrow<batch>)", "check: func(batch: batch)"];
    const text = readFileSync(file, "utf8");
    if (!text.includes(lent)) {
        throw new Error(`the contract has no \`${lent}\``);
    }
    writeFileSync(file, text.replace(lent, given));
    return folder;
}

async function main() {
    const entry = stage();
    const checked = typeErrors();
    const made = await bundle(entry);
    const wrong = await checked;
    if (wrong !== "") {
        throw new Refused(wrong);
    }
    const inputs = Object.keys(made.metafile.inputs).map((path) => resolve(project, path));
    const hasFiles = inputs.includes(join(sdk, "src/files/wasi.ts"));
    const [map, code] = ["stage.js.map", "stage.js"].map((name) => made.outputFiles.find((file) => file.path.endsWith(name)));
    const named = (source) => {
        const path = resolve(project, source);
        return path.startsWith(sdk) ? `sluicebox:${relative(sdk, path)}` : relative(project, path);
    };
    // On the first line, so that the numbers of all lines stay.
    const table = JSON.stringify(lineTable(JSON.parse(map.text), named));
    const source = `globalThis.__sluiceboxLines=${table};${code.text}`;
    const { componentize } = require("componentize-qjs");
    const { component } = await componentize({
        jsSource: source,
        sync: true,
        witPath: contract(),
        world: hasFiles ? `${options.kind}-with-files` : options.kind,
    });
    writeFileSync(options.out, component);
}

main().catch((error) => {
    console.error(error instanceof Refused ? error.message : (error.stack ?? String(error)));
    process.exitCode = 1;
});
