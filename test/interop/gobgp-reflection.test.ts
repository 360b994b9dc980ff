import { testFeatures } from "../harness/interop-suite.ts";
import { reflectionFeatures } from "./features/reflection.ts";

testFeatures("gobgp", reflectionFeatures);
