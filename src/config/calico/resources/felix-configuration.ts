/** FelixConfiguration: which pools' routes Felix writes into the kernel, which is to be all that BGP does not. */

import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import type { ProgramClusterRoutes } from "./bgp-configuration.ts";
import { choice, isAbsent, isMap } from "./fields.ts";

const programClusterRoutes = choice("Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly");

export interface FelixConfiguration {
  readonly name: string;
  readonly programClusterRoutes: ProgramClusterRoutes | undefined;
}

/** Of its many fields this one alone concerns BGP. */
export function readFelixConfiguration({ metadata, ...object }: StoredObject, place: Place): FelixConfiguration {
  const spec = isMap(object["spec"]) ? object["spec"] : {};
  const written = spec["programClusterRoutes"];
  return {
    name: metadata.name,
    programClusterRoutes: isAbsent(written)
      ? undefined
      : programClusterRoutes.read(written, place.at("spec").at("programClusterRoutes")),
  };
}
