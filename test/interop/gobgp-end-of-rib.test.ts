import { testFeatures } from "../harness/interop-suite.ts";
import { endOfRibFeatures } from "./features/end-of-rib.ts";

testFeatures("gobgp", endOfRibFeatures);
