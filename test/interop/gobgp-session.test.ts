import { testFeatures } from "../harness/interop-suite.ts";
import { attributeFeatures } from "./features/attributes.ts";
import { reflectionFeatures } from "./features/reflection.ts";
import { refreshFeatures } from "./features/refresh.ts";
import { routeFeatures } from "./features/routes.ts";
import { sessionFeatures } from "./features/session.ts";

testFeatures("gobgp", [
  ...sessionFeatures,
  ...reflectionFeatures,
  ...refreshFeatures,
  ...routeFeatures,
  ...attributeFeatures,
]);
