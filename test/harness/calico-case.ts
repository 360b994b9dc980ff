/** Calico's cases in the forms in which a cluster stores them: what its API server would hold after `calicoctl apply` of each. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiObject } from "./kubernetes-objects.ts";
import { shared } from "./shared-data.ts";

export interface CaseState {
  readonly resources: readonly ApiObject[];
  readonly kubernetes: readonly ApiObject[];
}

export interface CalicoCase extends CaseState {
  readonly case: string;
  readonly node: string;
  readonly release: string;
  /** It cannot be told through etcd: it has Services or Secrets. */
  readonly kddOnly: boolean;
  /** The states before this one, and this one; empty where there is but one. */
  readonly steps: readonly CaseState[];
}

/** None where the data is not there. */
export function calicoCases(): readonly CalicoCase[] {
  const folder = shared("calico/cases");
  if (folder === undefined) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.sort().map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as CalicoCase);
}

/** All that the API server holds, with Calico's resources as custom resources of crd.projectcalico.org/v1, or as they are. */
export function kubernetesForm(
  { case: name, release }: CalicoCase,
  state: CaseState,
  api: "crd.projectcalico.org/v1" | "projectcalico.org/v3",
): ApiObject[] {
  const calico = [clusterInformation(name, release), ...state.resources.filter(({ kind }) => kind !== "Node")];
  const stored = calico
    .map(withDefaults)
    .map((object) => (api === "projectcalico.org/v3" ? object : customResource(object)));
  // What begins with _ is a note of the case to its reader.
  const core = state.kubernetes.map((o) =>
    Object.fromEntries(Object.entries(o).filter(([key]) => !key.startsWith("_"))),
  );
  return [...stored, ...(core as unknown as ApiObject[])];
}

function clusterInformation(name: string, release: string): ApiObject {
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "ClusterInformation",
    metadata: { name: "default" },
    spec: {
      clusterGUID: createHash("md5").update(name).digest("hex"),
      clusterType: "k8s,bgp",
      calicoVersion: `v${release}.0`,
      datastoreReady: true,
    },
  };
}

/** What Calico's client fills in before it stores a pool. */
export function withDefaults(object: ApiObject): ApiObject {
  if (object.kind !== "IPPool") return object;
  const spec = object["spec"] as { readonly cidr: string };
  const defaults = {
    blockSize: spec.cidr.includes(":") ? 122 : 26,
    nodeSelector: "all()",
    ipipMode: "Never",
    vxlanMode: "Never",
    allowedUses: ["Workload", "Tunnel"],
    assignmentMode: "Automatic",
  };
  return { ...object, spec: { ...defaults, ...spec } };
}

/** The older form: metadata in an annotation, but for what begins with Calico's own domain; affinities without it, and `deleted` as text. */
function customResource(object: ApiObject): ApiObject {
  const { name, ...written } = object.metadata;
  const spec = object["spec"] as Record<string, unknown>;
  const apiVersion = "crd.projectcalico.org/v1";
  if (object.kind === "BlockAffinity") {
    const { deleted = false, type = "host" } = spec;
    const labels = { "projectcalico.org/affinity-type": String(type) };
    return { ...object, apiVersion, metadata: { name, labels }, spec: { ...spec, type, deleted: String(deleted) } };
  }
  const annotations = {
    ...ours(written["annotations"]),
    "projectcalico.org/metadata": JSON.stringify({ creationTimestamp: "2026-01-01T00:00:00Z", ...written }),
  };
  return { ...object, apiVersion, metadata: { name, annotations, labels: ours(written["labels"]) } };
}

function ours(fields: unknown): Record<string, unknown> {
  const entries = Object.entries((fields ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.filter(([key]) => key.includes("projectcalico.org/")));
}
