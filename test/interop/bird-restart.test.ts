import { testFeatures } from "../harness/interop-suite.ts";
import { notificationFeatures, restartFeatures } from "./features/restart.ts";

testFeatures("bird", [...restartFeatures, ...notificationFeatures]);
