/** ClusterInformation: which release of Calico the cluster runs. */

import type { Release } from "../options.ts";
import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import { isMap } from "./fields.ts";

/** Undefined: it does not say. */
export function readClusterInformation(object: StoredObject, place: Place): Release | undefined {
  const version = isMap(object["spec"]) ? object["spec"]["calicoVersion"] : undefined;
  if (typeof version !== "string" || version === "") return undefined;
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) {
    // Builds of the main branch call themselves after their commit.
    place
      .at("spec")
      .at("calicoVersion")
      .warn(`"${version.slice(0, 60)}" names no release: it counts as the newest; set calico.release`);
    return "3.33";
  }
  const number = Number(major) * 1000 + Number(minor);
  return number <= 3031 ? "3.31" : number === 3032 ? "3.32" : "3.33";
}
