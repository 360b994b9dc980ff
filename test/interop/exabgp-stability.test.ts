import { testFeatures } from "../harness/interop-suite.ts";
import { stabilityFeatures } from "./features/stability.ts";

testFeatures("exabgp", stabilityFeatures);
