/** Every case of Calico's own tests: the model is what they expect confd to make of the resources, step by step. */

import { describe, expect, it } from "vitest";
import { type CalicoCase, type CaseState, calicoCases } from "../../../harness/calico-case.ts";
import { type Options, shownFamily, TestCluster, type Written } from "./cluster-of.ts";

type Case = CalicoCase & {
  readonly env: Readonly<Record<string, string>>;
  readonly expect: { readonly routerId: string; readonly ipv4: unknown; readonly ipv6: unknown };
  readonly steps: readonly (CaseState & { readonly case: string })[];
};

const cases = calicoCases() as unknown as readonly Case[];
const expectations = new Map(cases.map((one) => [one.case, one.expect]));

describe.skipIf(cases.length === 0)("Calico's cases (skipped without ../shared/data)", () => {
  it.each(cases.map((one) => [one.case, one] as const))("%s", (_name, one) => {
    const cluster = new TestCluster();
    for (const step of one.steps) {
      cluster.become(objectsOf(step));
      const expected = expectations.get(step.case);
      if (expected !== undefined && stepsLeadTo(step.case, one, step)) expectModel(cluster, one, expected);
    }
    expectModel(cluster.become(objectsOf(one)), one, one.expect);
    expect(cluster.problems().filter((text) => !isExpected(text))).toEqual([]);
  });

  it.each(cases.map((one) => [one.case, one] as const))(
    "%s, from what Kubernetes alone has of the nodes",
    (_name, one) => {
      const resources = one.resources.filter(({ kind }) => kind !== "Node");
      expectModel(new TestCluster().become([...resources, ...one.kubernetes]), one, one.expect);
    },
  );

  it.each(cases.map((one) => [one.case, one] as const))("%s, from Calico's own nodes alone", (_name, one) => {
    const kubernetes = one.kubernetes.filter(({ kind }) => kind !== "Node");
    expectModel(new TestCluster().become([...one.resources, ...kubernetes]), one, one.expect);
  });
});

function expectModel(cluster: TestCluster, { node, env, release }: Case, expected: Case["expect"]): void {
  const model = cluster.model({
    nodeName: node,
    kubernetesNodeName: node,
    release: release as Options["release"],
    routerId: env["CALICO_ROUTER_ID"] ?? "",
  });
  const shown = { routerId: model.routerId, ipv4: shownFamily(model.ipv4), ipv6: shownFamily(model.ipv6) };
  expect(shown).toEqual(expected);
}

function objectsOf({ resources, kubernetes }: CaseState): readonly Written[] {
  return [...resources, ...kubernetes];
}

/** A case's own last step is the case itself; one before it may be that of a case that ends there. */
function stepsLeadTo(name: string, one: Case, step: CaseState): boolean {
  const own = cases.find((other) => other.case === name);
  return name !== one.case && own !== undefined && JSON.stringify(own.resources) === JSON.stringify(step.resources);
}

/** What the cases themselves leave open, as upstream has them. */
function isExpected(text: string): boolean {
  return /Secret .* (is not there|has no key)|no BGPFilter|no Node|selects no node|has no effect on/.test(text);
}
