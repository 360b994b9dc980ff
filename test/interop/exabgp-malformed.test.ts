import { it } from "vitest";
import { testFeatures } from "../harness/interop-suite.ts";
import { malformedFeatures } from "./features/malformed.ts";

if (malformedFeatures.length === 0)
  it.skip("the cases of FRR and GoBGP do not lie beside the checkout", () => undefined);
else testFeatures("exabgp", malformedFeatures);
