/** Write stages of sluicebox pipelines; `sluicebox/testing` runs them without a host, `sluicebox/files` is for files. */

export { Batch, type View } from "./batch.ts";
export type { Mask } from "./bits.ts";
export { Column, type Cell, type Value, type Values, type Views, type ViewType } from "./column.ts";
export { Fault, type FaultKind } from "./fault.ts";
export type { Form } from "./host.ts";
export { flag, group, integer, list, number, oneOf, optional, table, text } from "./options.ts";
export type { Option, Options, Static } from "./options.ts";
export { count, log, quarantine, type BadRecord } from "./report.ts";
export { field, Schema, type Field } from "./schema.ts";
export { extract, load, transform, validate } from "./stage.ts";
export type {
    Context,
    Ending,
    Extract,
    Fields,
    Finding,
    Input,
    Load,
    OpenExtract,
    OpenLoad,
    OpenTransform,
    OpenValidate,
    Opening,
    Outcome,
    Page,
    Plugin,
    Rule,
    Some,
    Transform,
    Validate,
} from "./stage.ts";
export { dateOf, dateText, timestampText } from "./time.ts";
export type { Capability, DataType, Kind, Level, Severity } from "./words.ts";
