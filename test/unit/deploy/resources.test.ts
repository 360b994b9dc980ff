import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { problemsBy, schemasIn } from "../../harness/crd-schema.ts";
import { deployFolder } from "../../harness/deploy-kubernetes.ts";
import type { Manifest } from "../../harness/kustomize.ts";
import { shared } from "../../harness/shared-data.ts";

const folder = join(deployFolder, "calico");
const objects = readdirSync(folder).flatMap((name) =>
  (loadAll(readFileSync(join(folder, name), "utf8")) as Manifest[]).map((object) => ({
    title: `${name}: ${object.kind} ${object.metadata.name}`,
    object,
  })),
);

describe.each(["crd-v1", "crd-v3"])(
  "Calico's resources in deploy/kubernetes, by the schema in calico/%s",
  (version) => {
    const path = shared(`calico/${version}`);
    const schemas = path === undefined ? undefined : schemasIn(path);

    it.skipIf(schemas === undefined).each(objects)("$title", ({ object }) => {
      const schema = schemas?.get(object.kind);
      expect(schema).toBeDefined();
      expect(problemsBy(schema ?? {}, object)).toEqual([]);
    });

    it.skipIf(schemas === undefined).each([
      ["a field that does not exist", { peerIPs: "10.0.0.1" }, ".spec.peerIPs: unknown field"],
      ["text for a number", { asNumber: "64512" }, ".spec.asNumber: no number"],
      ["a value that is none of the accepted", { nextHopMode: "Other" }, ".spec.nextHopMode: none of"],
    ])("%s would be noticed", (_name, spec, wanted) => {
      const schema = schemas?.get("BGPPeer") ?? {};
      expect(problemsBy(schema, { metadata: { name: "x" }, spec }).join("\n")).toContain(wanted);
    });
  },
);
