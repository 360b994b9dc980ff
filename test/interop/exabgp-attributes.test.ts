import { testFeatures } from "../harness/interop-suite.ts";
import { attributeFeatures } from "./features/attributes.ts";

testFeatures("exabgp", attributeFeatures);
