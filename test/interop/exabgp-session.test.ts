import { testFeatures } from "../harness/interop-suite.ts";
import { attributeFeatures } from "./features/attributes.ts";
import { malformedFeatures } from "./features/malformed.ts";
import { ownRouteFeatures } from "./features/own-routes.ts";
import { reflectionFeatures } from "./features/reflection.ts";
import { refreshFeatures } from "./features/refresh.ts";
import { routeFeatures } from "./features/routes.ts";
import { sessionFeatures } from "./features/session.ts";

testFeatures("exabgp", [
  ...sessionFeatures,
  ...reflectionFeatures,
  ...refreshFeatures,
  ...routeFeatures,
  ...attributeFeatures,
  ...ownRouteFeatures,
  ...malformedFeatures,
]);
