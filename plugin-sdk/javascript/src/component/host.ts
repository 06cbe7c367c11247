/** Puts the real host behind the SDK. */

import batches from "sluicebox:stage/batches@0.1.0";
import report from "sluicebox:stage/report@0.1.0";
import { install, type Host } from "../host.ts";

install({ batches, report } as Host);
