/** What tells one stored object from another, whatever datastore it came from. */

import type { ObjectKey, StoredObject } from "./stored-object.ts";

export const CALICO_API = "projectcalico.org/v3";

/** Of the kinds of Kubernetes that matter here; all of Calico's, and Node, belong to the cluster as a whole. */
const NAMESPACED: ReadonlySet<string> = new Set(["Service", "EndpointSlice", "Secret"]);

/** As kubectl does, an object of a namespace that names none is in `default`. */
export function keyOf({
  apiVersion,
  kind,
  metadata,
}: Pick<StoredObject, "apiVersion" | "kind" | "metadata">): ObjectKey {
  const group = apiVersion === CALICO_API ? "calico" : "kubernetes";
  const isNamespaced = group === "kubernetes" && NAMESPACED.has(kind);
  return { group, kind, namespace: isNamespaced ? (metadata.namespace ?? "default") : "", name: metadata.name };
}

/** For maps: no two keys have the same text. */
export function keyText({ group, kind, namespace, name }: ObjectKey): string {
  return `${group}/${kind}/${namespace}/${name}`;
}
