/** What a component of kind validate is made of. */

import "../shims.ts";
import "./host.ts";
import { checked, describe, validator as calls } from "../calls.ts";
import stage from "sluicebox-stage";

const checkedStage = checked(stage, "validate");

export const plugin = { describe: () => describe(checkedStage) };
export const validator = calls(checkedStage);
