import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump, load, loadAll } from "js-yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { combinations, deployFolder, manifestsOf, withKustomization } from "../harness/deploy-kubernetes.ts";
import { isKubernetesOwn, schemaProblems } from "../harness/kubernetes-types.ts";
import { buildKustomization, keyOf, type Manifest } from "../harness/kustomize.ts";
import { findProgram } from "../harness/process.ts";
import { shared } from "../harness/shared-data.ts";

/** The first kubectl that knows components came with kustomize 4. */
const kubectl = (() => {
  const program = findProgram("kubectl");
  if (program === undefined) return undefined;
  const version = JSON.parse(execFileSync(program, ["version", "--client", "--output", "json"], { encoding: "utf8" }));
  return /^v[4-9]/.test(String(version.kustomizeVersion)) ? program : undefined;
})();

/** Without the suffixes that tell one content of a ConfigMap from the next. */
function byKubectl(folder: string): Map<string, Manifest> {
  const options = ["kustomize", "--load-restrictor", "LoadRestrictionsNone", folder];
  const text = execFileSync(kubectl ?? "", options, { encoding: "utf8" });
  const plain = text.replaceAll(/\b(starling-(?:node|reflector))-[0-9a-z]{10}$/gm, "$1");
  return new Map((loadAll(plain) as Manifest[]).map((manifest) => [keyOf(manifest), manifest]));
}

describe("deploy/kubernetes", () => {
  it("is as Kubernetes' schema wants it, each overlay with each component", () => {
    const own = combinations.flatMap((combination) => manifestsOf(combination).filter(isKubernetesOwn));
    const distinct = [...new Map(own.map((manifest) => [JSON.stringify(manifest), manifest])).values()];
    expect([...new Set(distinct.map(({ kind }) => kind))].sort()).toEqual([
      ...["ClusterRole", "ClusterRoleBinding", "ConfigMap", "DaemonSet", "Deployment", "PodDisruptionBudget"],
      ...["Role", "RoleBinding", "Service", "ServiceAccount"],
    ]);
    expect(schemaProblems(distinct)).toEqual([]);
  });

  it.each([
    ["a field that does not exist", { hostNetworks: true }, /hostNetworks.* does not exist/],
    ["a value of the wrong type", { priorityClassName: 5 }, /'number' is not assignable to type 'string'/],
    ["a field that is missing", { containers: [{ image: "starling" }] }, /'name'.* is missing/],
  ])("is checked by a schema that notices %s", (_name, change, wanted) => {
    const wrong = manifestsOf(["mesh"])
      .filter(({ kind }) => kind === "DaemonSet")
      .map((manifest) => structuredClone(manifest));
    Object.assign(podOf(wrong[0]), change);
    expect(schemaProblems(wrong).join("\n")).toMatch(wanted);
  });

  const named = combinations.map((combination) => ({ name: combination.join(" with "), combination }));
  it.skipIf(kubectl === undefined).each(named)("$name is the same to kubectl", ({ combination }) => {
    withKustomization(combination, (folder) => {
      const ours = new Map(buildKustomization(folder).map((manifest) => [keyOf(manifest), manifest]));
      expect(ours).toEqual(byKubectl(folder));
    });
  });
});

describe.skipIf(shared("calico/others") === undefined)("calico-node without BIRD, made of one that a user runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "starling-calico-node-"));
  let running: Manifest;
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(() => {
    cpSync(join(deployFolder, "calico-node"), folder, { recursive: true });
    const text = readFileSync(join(shared("calico/others") ?? "", "kops.private.yaml"), "utf8");
    const documents = loadAll(text) as (Manifest | null)[];
    const found = documents.find((document) => document?.kind === "DaemonSet");
    if (found == null) throw new RangeError("no DaemonSet");
    const answered = { uid: "a", resourceVersion: "7", generation: 3, creationTimestamp: "2026-01-01T00:00:00Z" };
    running = { ...found, metadata: { ...found.metadata, ...answered }, status: { currentNumberScheduled: 1 } };
    writeFileSync(join(folder, "calico-node.yaml"), dump(running));
  });

  it("keeps all of it but BIRD, and goes where starling goes", () => {
    const [made] = buildKustomization(folder);
    expect(made?.metadata.name).toBe("calico-node-without-bird");
    expect(made?.["status"]).toBeUndefined();
    expect(Object.keys(made?.metadata ?? {}).sort()).toEqual(["labels", "name", "namespace"]);
    const pod = podOf(made);
    expect(pod.nodeSelector).toEqual({ "kubernetes.io/os": "linux", "starling/node": "true" });
    const [container] = pod.containers;
    expect(container?.env.find(({ name }) => name === "CALICO_NETWORKING_BACKEND")).toEqual({
      name: "CALICO_NETWORKING_BACKEND",
      value: "vxlan",
    });
    expect(container?.livenessProbe.exec.command.join(" ")).not.toContain("bird");
    const before = podOf(running).containers[0];
    const others = (env: readonly { readonly name: string }[] = []) =>
      env.filter(({ name }) => name !== "CALICO_NETWORKING_BACKEND");
    expect(others(container?.env)).toEqual(others(before?.env));
    expect(container?.volumeMounts).toEqual(before?.volumeMounts);
    expect(schemaProblems(made === undefined ? [] : [made])).toEqual([]);
  });

  it.skipIf(kubectl === undefined)(
    "is the same to kubectl, which also takes the patch that keeps the old one off",
    () => {
      const [made] = buildKustomization(folder);
      expect([...byKubectl(folder).values()]).toEqual([made]);
      const files = ["-f", join(folder, "calico-node.yaml"), "--patch-file", join(folder, "keep-off.yaml")];
      const text = execFileSync(kubectl ?? "", ["patch", "--local", ...files, "-o", "yaml"], { encoding: "utf8" });
      const patched = load(text) as Manifest & { spec: { updateStrategy: unknown } };
      expect(patched.spec.updateStrategy).toEqual({ type: "OnDelete" });
      expect(JSON.stringify(podOf(patched).affinity)).toContain('"operator":"NotIn"');
    },
  );
});

interface Pod {
  readonly nodeSelector: Record<string, string>;
  readonly affinity: unknown;
  readonly containers: readonly {
    readonly env: readonly { readonly name: string }[];
    readonly livenessProbe: { readonly exec: { readonly command: readonly string[] } };
    readonly volumeMounts: unknown;
  }[];
}

function podOf(manifest: Manifest | undefined): Pod {
  if (manifest === undefined) throw new RangeError("no such object");
  return (manifest["spec"] as { template: { spec: Pod } }).template.spec;
}
