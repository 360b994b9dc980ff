import { describe, expect, it } from "vitest";
import { clusterKinds, SERVICE_KINDS } from "../../../src/config/calico/datastore/kubernetes-kinds.ts";
import { manifestsOf } from "../../harness/deploy-kubernetes.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const manifests = manifestsOf(["mesh"]);
const rulesOf = (kind: string) =>
  manifests.filter((manifest) => manifest.kind === kind).flatMap((manifest) => manifest["rules"] as readonly Rule[]);

/** "group/resource verb", one a line. */
function granted(rules: readonly Rule[]): string[] {
  return rules
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)),
      ),
    )
    .sort();
}

describe("access to the API server", () => {
  it("is to what the datastore lists and watches, and to nothing else", () => {
    const kinds = [
      ...clusterKinds("crd.projectcalico.org/v1", "node"),
      ...clusterKinds("projectcalico.org/v3", "node"),
      ...SERVICE_KINDS,
    ];
    const read = kinds.flatMap(({ api, plural }) => {
      const group = api.includes("/") ? api.replace(/\/.*/, "") : "";
      return ["list", "watch"].map((verb) => `${group}/${plural} ${verb}`);
    });
    const written = ["crd.projectcalico.org", "projectcalico.org"].flatMap((group) => [
      `${group}/caliconodestatuses get`,
      `${group}/caliconodestatuses patch`,
      `${group}/caliconodestatuses/status update`,
    ]);
    expect(granted(rulesOf("ClusterRole"))).toEqual([...new Set([...read, ...written])].sort());
  });

  it("is to Secrets by name, in one namespace, and only to read", () => {
    expect(rulesOf("Role")).toEqual([
      { apiGroups: [""], resources: ["secrets"], resourceNames: ["bgp-secrets"], verbs: ["list", "watch"] },
    ]);
    expect(granted(rulesOf("ClusterRole")).filter((line) => line.includes("secrets"))).toEqual([]);
  });

  it("has no wildcard", () => {
    expect(JSON.stringify([...rulesOf("ClusterRole"), ...rulesOf("Role")])).not.toContain("*");
  });

  it.each(["ClusterRoleBinding", "RoleBinding"])("%s binds a role that is there to the account of the pods", (kind) => {
    const [binding] = manifests.filter((manifest) => manifest.kind === kind);
    const { roleRef, subjects } = binding as unknown as { roleRef: Record<string, string>; subjects: unknown };
    expect(manifests.map((manifest) => `${manifest.kind} ${manifest.metadata.name}`)).toContain(
      `${roleRef["kind"]} ${roleRef["name"]}`,
    );
    expect(subjects).toEqual([{ kind: "ServiceAccount", name: "starling", namespace: "kube-system" }]);
  });
});
