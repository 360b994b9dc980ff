/** What confd's own tests expect it to write for BIRD, read back: for the same resources the model says the same. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CalicoCase, calicoCases } from "../../../harness/calico-case.ts";
import { shared } from "../../../harness/shared-data.ts";
import { type BirdFiles, callsOf, familyOf, routerIdOf } from "./bird-config.ts";
import { clusterOf, type Options, shownFamily } from "./cluster-of.ts";

const root = shared("calico/confd-golden") ?? "";
const cases = new Map(calicoCases().map((one) => [one.case, one]));

const names = (existsSync(root) ? readdirSync(root, { recursive: true, encoding: "utf8" }) : [])
  .filter((path) => path.endsWith("/expected"))
  .map((path) => path.slice(0, -"/expected".length))
  .filter((name) => cases.has(name))
  .sort();

function read(name: string, bird: "bird" | "bird6"): BirdFiles {
  const file = (suffix: string) => readFileSync(join(root, name, "expected", `${bird}${suffix}.cfg`), "utf8");
  return { main: file(""), aggregation: file("_aggr"), pools: file("_ipam") };
}

function modelOf({ node, release, resources, kubernetes, ...one }: CalicoCase) {
  const { env } = one as unknown as { readonly env: Readonly<Record<string, string>> };
  return clusterOf(...resources, ...kubernetes).model({
    nodeName: node,
    kubernetesNodeName: node,
    release: release as Options["release"],
    routerId: env["CALICO_ROUTER_ID"] ?? "",
  });
}

describe.skipIf(names.length === 0)("confd's golden files (skipped without ../shared/data)", () => {
  it.each(names)("%s", (name) => {
    const model = modelOf(cases.get(name) as CalicoCase);
    const bird = read(name, "bird");
    const bird6 = read(name, "bird6");
    expect(model.routerId).toBe(routerIdOf(bird));
    expect(shownFamily(model.ipv4)).toEqual(familyOf(bird));
    expect(shownFamily(model.ipv6)).toEqual(familyOf(bird6));
    for (const { main } of [bird, bird6]) {
      for (const { argument, internal } of callsOf(main)) expect(argument).toBe(String(internal));
    }
  });

  it("are found", () => {
    expect(names.length).toBeGreaterThanOrEqual(23);
  });
});
