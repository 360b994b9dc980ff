import { testFeatures } from "../harness/interop-suite.ts";
import { protectionFeatures } from "./features/protection.ts";

testFeatures("gobgp", protectionFeatures);
