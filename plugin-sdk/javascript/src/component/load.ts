/** What a component of kind load is made of. */

import "../shims.ts";
import "./host.ts";
import { checked, describe, loader as calls } from "../calls.ts";
import stage from "sluicebox-stage";

const checkedStage = checked(stage, "load");

export const plugin = { describe: () => describe(checkedStage) };
export const loader = calls(checkedStage);
