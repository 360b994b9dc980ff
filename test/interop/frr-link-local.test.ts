import { testFeatures } from "../harness/interop-suite.ts";
import { linkLocalFeatures } from "./features/link-local.ts";

testFeatures("frr", linkLocalFeatures);
