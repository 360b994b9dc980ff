import { testFeatures } from "../harness/interop-suite.ts";
import { refreshFeatures } from "./features/refresh.ts";

testFeatures("gobgp", refreshFeatures);
