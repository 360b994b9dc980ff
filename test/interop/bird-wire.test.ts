import { testFeatures } from "../harness/interop-suite.ts";
import { wireFeatures } from "./features/wire.ts";

testFeatures("bird", wireFeatures);
