/** What a component of kind transform is made of. */

import "../shims.ts";
import "./host.ts";
import { checked, describe, transformer as calls } from "../calls.ts";
import stage from "sluicebox-stage";

const checkedStage = checked(stage, "transform");

export const plugin = { describe: () => describe(checkedStage) };
export const transformer = calls(checkedStage);
