import { testFeatures } from "../harness/interop-suite.ts";
import { sessionFeatures } from "./features/session.ts";

testFeatures("openbgpd", sessionFeatures);
