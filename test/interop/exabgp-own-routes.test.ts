import { testFeatures } from "../harness/interop-suite.ts";
import { ownRouteFeatures } from "./features/own-routes.ts";

testFeatures("exabgp", ownRouteFeatures);
