// Runs the tests of a project: each *.test.ts is bundled, so that `sluicebox` is found, and given to `node --test`.
//
//   node test.mjs --tools NODE_MODULES FOLDER

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const sdk = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const [, tools, folder] = process.argv.slice(2);
const { buildSync } = createRequire(join(realpathSync(tools), "none.js"))("esbuild");

const project = realpathSync(folder);
const tests = readdirSync(project).filter((name) => /\.test\.(ts|js|mjs)$/.test(name));
if (tests.length === 0) {
    console.log(`there are no tests (*.test.ts) in ${project}`);
    process.exit(0);
}
const out = mkdtempSync(join(tmpdir(), "sluicebox-test-"));
try {
    buildSync({
        entryPoints: tests.map((name) => join(project, name)),
        absWorkingDir: project,
        alias: {
            sluicebox: join(sdk, "src/index.ts"),
            "sluicebox/files": join(sdk, "src/files/node.ts"),
            "sluicebox/testing": join(sdk, "src/testing/index.ts"),
        },
        bundle: true,
        format: "esm",
        logLevel: "error",
        outdir: out,
        outExtension: { ".js": ".mjs" },
        platform: "node",
        sourcemap: "inline",
        target: "node20",
    });
    const built = readdirSync(out).filter((name) => name.endsWith(".mjs"));
    const call = ["--enable-source-maps", "--test", ...built.map((name) => join(out, name))];
    process.exitCode = spawnSync(process.execPath, call, { cwd: project, stdio: "inherit" }).status ?? 1;
} catch (error) {
    console.error(String(error.message ?? error));
    process.exitCode = 1;
} finally {
    rmSync(out, { recursive: true, force: true });
}
