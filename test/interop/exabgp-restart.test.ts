import { testFeatures } from "../harness/interop-suite.ts";
import { restartFeatures } from "./features/restart.ts";

testFeatures("exabgp", restartFeatures);
