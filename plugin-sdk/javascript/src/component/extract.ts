/** What a component of kind extract is made of. */

import "../shims.ts";
import "./host.ts";
import { checked, describe, extractor as calls } from "../calls.ts";
import stage from "sluicebox-stage";

const checkedStage = checked(stage, "extract");

export const plugin = { describe: () => describe(checkedStage) };
export const extractor = calls(checkedStage);
