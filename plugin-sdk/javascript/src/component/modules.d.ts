/** What a component imports, as its engine offers it. */

declare module "sluicebox:stage/batches@0.1.0" {
    const batches: unknown;
    export default batches;
}

declare module "sluicebox:stage/report@0.1.0" {
    const report: unknown;
    export default report;
}

/** The stage's module; the build puts it in its place. */
declare module "sluicebox-stage" {
    const stage: unknown;
    export default stage;
}

declare module "wasi:filesystem/types@0.2.12" {
    const types: unknown;
    export default types;
}

declare module "wasi:filesystem/preopens@0.2.12" {
    const preopens: { getDirectories(): unknown };
    export default preopens;
}
