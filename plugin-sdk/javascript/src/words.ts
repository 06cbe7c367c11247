/** The words of the contract. */

/** An Arrow logical type. `other` is any that has no name here; such a column is carried by handle or as Arrow IPC. */
export type DataType = (typeof DATA_TYPES)[number];

export const DATA_TYPES = [
    "boolean",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "utf8",
    "binary",
    "date32",
    "timestamp",
    "decimal128",
    "other",
] as const;

export type Kind = "extract" | "transform" | "validate" | "load";

/** What a stage asks to be granted; it gets what the pipeline's author grants. */
export type Capability = "read-files" | "write-files" | "http" | "tcp" | "environment" | "clock" | "random";

export type Level = "debug" | "info" | "warn" | "error";

/** What breaking a rule means for a row: it is told, it goes to quarantine, it fails the run. */
export type Severity = "warn" | "reject" | "fail";
