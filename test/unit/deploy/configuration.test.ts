import { describe, expect, it } from "vitest";
import { loadText } from "../../../src/config/load.ts";
import { combinations, manifestsOf } from "../../harness/deploy-kubernetes.ts";
import { machine } from "../config/fixtures.ts";

const files = combinations.flatMap((combination) =>
  manifestsOf(combination).flatMap(({ kind, metadata, ...more }) => {
    const { data = {} } = more as { readonly data?: Readonly<Record<string, string>> };
    const text = kind === "ConfigMap" ? data["starling.yaml"] : undefined;
    return text === undefined ? [] : [{ title: `${metadata.name} of ${combination.join(" with ")}`, text }];
  }),
);

describe("the configuration in deploy/kubernetes", () => {
  it.each(files)("$title has no problems, and warns of nothing", ({ text }) => {
    const pod: Readonly<Record<string, string>> = {
      NODENAME: "node-1",
      NAMESPACE: "kube-system",
      DATASTORE_TYPE: "kubernetes",
      STARLING_HTTP_ADDRESS: "10.0.0.1",
    };
    const { config, problems } = loadText(text, "starling.yaml", { ...machine, environment: (name) => pod[name] });
    expect(problems).toEqual([]);
    expect(config).toBeDefined();
  });

  it("is there for nodes and reflectors", () => {
    expect(new Set(files.map(({ title }) => title.split(" ")[0]))).toEqual(
      new Set(["starling-node", "starling-reflector"]),
    );
  });
});
