import { testFeatures } from "../harness/interop-suite.ts";
import { endOfRibFeatures } from "./features/end-of-rib.ts";
import { protectionFeatures } from "./features/protection.ts";
import { restartFeatures } from "./features/restart.ts";
import { stabilityFeatures } from "./features/stability.ts";

// Features that wait much, so that their waits fall together.
testFeatures("gobgp", [...stabilityFeatures, ...restartFeatures, ...endOfRibFeatures, ...protectionFeatures]);
