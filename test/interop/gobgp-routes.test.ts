import { testFeatures } from "../harness/interop-suite.ts";
import { routeFeatures } from "./features/routes.ts";

testFeatures("gobgp", routeFeatures);
