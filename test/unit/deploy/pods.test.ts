import { describe, expect, it } from "vitest";
import { combinations, manifestsOf } from "../../harness/deploy-kubernetes.ts";
import type { Manifest } from "../../harness/kustomize.ts";

interface Probe {
  readonly httpGet: { readonly host?: string; readonly path: string; readonly port: number };
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly {
    readonly name: string;
    readonly valueFrom?: { readonly fieldRef?: { fieldPath: string } };
  }[];
  readonly securityContext: unknown;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly startupProbe: Probe;
  readonly resources: { readonly limits?: Record<string, string> };
}
interface Workload {
  readonly selector: { readonly matchLabels: Record<string, string> };
  readonly template: {
    readonly metadata: { readonly labels: Record<string, string> };
    readonly spec: {
      readonly serviceAccountName: string;
      readonly containers: readonly Container[];
      readonly volumes: readonly {
        readonly name: string;
        readonly configMap?: { name: string };
        hostPath?: { path: string };
      }[];
      readonly [key: string]: unknown;
    };
  };
  readonly [key: string]: unknown;
}

const workloadsOf = (all: readonly Manifest[]) =>
  all
    .filter(({ kind }) => kind === "DaemonSet" || kind === "Deployment")
    .map((manifest) => ({ manifest, spec: manifest["spec"] as Workload }));

describe("pods of deploy/kubernetes", () => {
  const named = combinations.map((combination) => ({ name: combination.join(" with "), combination }));
  it.each(named)(
    "of $name have two capabilities at most, and a root file system that nobody writes",
    ({ combination }) => {
      for (const { manifest, spec } of workloadsOf(manifestsOf(combination))) {
        const { containers } = spec.template.spec;
        const add = manifest.kind === "DaemonSet" ? ["NET_ADMIN", "NET_BIND_SERVICE"] : ["NET_BIND_SERVICE"];
        const speaking = containers.filter(({ name }) => name !== "bird");
        expect(speaking).toHaveLength(1);
        for (const container of speaking) {
          expect(container.securityContext).toEqual({
            runAsUser: 0,
            runAsGroup: 0,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"], add },
          });
          expect(container.resources.limits ?? {}).not.toHaveProperty("cpu");
        }
      }
    },
  );

  it.each(named)("of $name refer to what is there", ({ combination }) => {
    const all = manifestsOf(combination);
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    const accounts = all.filter(({ kind }) => kind === "ServiceAccount").map(({ metadata }) => metadata.name);
    for (const { spec } of workloadsOf(all)) {
      const { labels } = spec.template.metadata;
      expect(labels).toMatchObject(spec.selector.matchLabels);
      const { containers, volumes, serviceAccountName } = spec.template.spec;
      expect(accounts).toContain(serviceAccountName);
      for (const { configMap } of volumes) {
        if (configMap !== undefined) expect(names).toContain(`ConfigMap kube-system/${configMap.name}`);
      }
      for (const { name, volumeMounts = [], image } of containers) {
        const wanted = name === "starling" ? volumes.map((volume) => volume.name) : [];
        expect(volumeMounts.map((mount) => mount.name).sort()).toEqual(wanted.sort());
        expect(image).toMatch(/^starling:\d/);
      }
    }
    for (const { kind, spec } of all as unknown as readonly (Manifest & {
      spec: { selector: Record<string, string> };
    })[]) {
      if (kind !== "Service") continue;
      for (const workload of workloadsOf(all))
        expect(workload.spec.template.metadata.labels).toMatchObject(spec.selector);
    }
  });

  it("listen on the node's address for Prometheus, and are then asked there whether they live", () => {
    const speakersOf = (...combination: [string, ...string[]]) =>
      workloadsOf(manifestsOf(combination))
        .flatMap(({ spec }) => spec.template.spec.containers)
        .filter(({ name }) => name === "starling");
    const [alone] = speakersOf("mesh");
    expect(alone?.env?.map(({ name }) => name)).not.toContain("STARLING_HTTP_ADDRESS");
    expect(alone?.readinessProbe.httpGet).toEqual({ host: "127.0.0.1", path: "/readyz", port: 9179 });
    const scraped = speakersOf("reflectors", "monitoring");
    expect(scraped).toHaveLength(2);
    for (const { env = [], livenessProbe, readinessProbe, startupProbe, ports } of scraped) {
      expect(env.find(({ name }) => name === "STARLING_HTTP_ADDRESS")?.valueFrom?.fieldRef?.fieldPath).toBe(
        "status.hostIP",
      );
      for (const { httpGet } of [livenessProbe, readinessProbe, startupProbe])
        expect(httpGet).not.toHaveProperty("host");
      expect(ports).toEqual([{ name: "metrics", containerPort: 9179 }]);
    }
  });

  it("of reflectors and of nodes never share a machine", () => {
    const [node, reflector] = ["DaemonSet", "Deployment"].map(
      (kind) =>
        workloadsOf(manifestsOf(["reflectors"])).find(({ manifest }) => manifest.kind === kind)?.spec.template.spec,
    );
    expect(JSON.stringify(node?.["affinity"])).toContain(
      '{"key":"starling/reflector","operator":"NotIn","values":["true"]}',
    );
    expect(reflector?.["nodeSelector"]).toMatchObject({ "starling/reflector": "true" });
    expect(JSON.stringify(reflector?.["affinity"])).toContain('"topologyKey":"kubernetes.io/hostname"');
  });
});
