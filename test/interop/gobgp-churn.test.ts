import { testFeatures } from "../harness/interop-suite.ts";
import { churnFeatures } from "./features/churn.ts";

testFeatures("gobgp", churnFeatures);
