import { describe, expect, it } from "vitest";
import { manifestsOf } from "../../harness/deploy-kubernetes.ts";
import type { ApiObject } from "../../harness/kubernetes-objects.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { followed, node, peer, secret, startApi, V1 } from "../config/calico/kubernetes-fixture.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** "list bgppeers.crd.projectcalico.org", "watch secrets kube-system/bgp-secrets". */
function rights(): Set<string> {
  return new Set(
    manifestsOf(["mesh"]).flatMap(({ kind, metadata, ...more }) => {
      const { rules = [] } = more as { readonly rules?: readonly Rule[] };
      return rules.flatMap(({ apiGroups, resources, resourceNames = [""], verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            verbs.flatMap((verb) =>
              resourceNames.map((name) => {
                const place = kind === "Role" ? ` ${metadata.namespace}/${name}` : "";
                return `${verb} ${resource}${group === "" ? "" : `.${group}`}${place}`;
              }),
            ),
          ),
        ),
      );
    }),
  );
}

/** What has to be granted for a request. Undefined for what every account may do. */
function needed(request: string): string | undefined {
  const [method = "", address = ""] = request.split(" ");
  const url = new URL(address, "http://api");
  const [, group = "", namespace, plural, name, sub] =
    /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
      url.pathname,
    ) ?? [];
  if (plural === undefined) return undefined;
  const isWatch = url.searchParams.get("watch") !== null;
  const reading = name === undefined ? (isWatch ? "watch" : "list") : "get";
  const verb = { GET: reading, PUT: "update", PATCH: "patch" }[method] ?? method;
  const only = /^metadata\.name=(.*)$/.exec(url.searchParams.get("fieldSelector") ?? "")?.[1];
  const place = namespace === undefined ? "" : ` ${namespace}/${only}`;
  return `${verb} ${plural}${sub === undefined ? "" : `/${sub}`}${group === "" ? "" : `.${group}`}${place}`;
}

const status: ApiObject = {
  apiVersion: V1,
  kind: "CalicoNodeStatus",
  metadata: { name: "mine" },
  spec: { node: "node-1", classes: ["Agent"], updatePeriodSeconds: 10 },
};
const configuration: ApiObject = {
  apiVersion: V1,
  kind: "BGPConfiguration",
  metadata: { name: "default" },
  spec: { serviceClusterIPs: [{ cidr: "10.96.0.0/12" }] },
};

describe("what starling asks of the API server", () => {
  it("is granted by deploy/kubernetes, and nothing is granted that it does not ask for", async () => {
    const asked = new Set<string>();
    for (const group of ["crd.projectcalico.org/v1", "projectcalico.org/v3"]) {
      const api = await startApi();
      api.groups = [group];
      for (const object of [peer("a"), status, configuration]) api.objects.put({ ...object, apiVersion: group });
      for (const object of [node("node-1"), secret("bgp-secrets")]) api.objects.put(object);
      const { datastore } = await followed(api);
      datastore.wantSecrets("kube-system", ["bgp-secrets"]);
      await waitFor(() => api.watched.includes("v1/secrets"), { what: "a watch of the Secret", interval: 5 });
      await waitFor(() => api.watched.includes("discovery.k8s.io/v1/endpointslices"), {
        what: "services",
        interval: 5,
      });
      await datastore.writeNodeStatus?.("mine", { agent: {} }, { "starling/conditions": "[]" });
      for (const request of api.requests) {
        const right = needed(request);
        if (right !== undefined) asked.add(right);
      }
    }
    expect([...asked].sort()).toEqual([...rights()].sort());
  });
});
