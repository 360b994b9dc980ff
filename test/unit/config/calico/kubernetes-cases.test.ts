/** Every case of Calico's own tests, through the API: what is told is what the case says, and each step of it as it comes. */

import { describe, expect, it } from "vitest";
import {
  type CalicoCase,
  type CaseState,
  calicoCases,
  kubernetesForm,
  withDefaults,
} from "../../../harness/calico-case.ts";
import type { ApiObject } from "../../../harness/kubernetes-objects.ts";
import { waitFor } from "../../../harness/wait-for.ts";
import { follow, startApi, synced } from "./kubernetes-fixture.ts";

const cases = calicoCases();
const apis = ["crd.projectcalico.org/v1", "projectcalico.org/v3"] as const;
type Api = (typeof apis)[number];
type Fields = Readonly<Record<string, unknown>>;

describe.skipIf(cases.length === 0)(
  "Calico's cases through the Kubernetes API (skipped without ../shared/data)",
  () => {
    describe.each(apis)("%s", (api) => {
      it.each(cases.map((one) => [one.case, one] as const))("%s", async (_name, one) => {
        const states: readonly CaseState[] = one.steps.length > 0 ? one.steps : [one];
        const server = await startApi();
        server.groups = [api];
        server.objects.become(kubernetesForm(one, states[0] as CaseState, api));
        const { told, datastore } = follow(server, { nodeName: one.node });
        datastore.wantSecrets("kube-system", secretNames(states));
        await synced({ told });
        let followsServices = false;
        for (const state of states) {
          server.objects.become(kubernetesForm(one, state, api));
          followsServices ||= state.resources.some(({ spec }) =>
            Object.keys(spec as Fields).some((k) => /^service/.test(k)),
          );
          const expected = expectedOf(one, state, api, followsServices);
          const shown = () => Object.fromEntries([...told.objects].map(([name, object]) => [name, shownOf(object)]));
          await waitFor(() => JSON.stringify(sorted(shown())) === JSON.stringify(sorted(expected)), {
            what: "the state of the case",
            interval: 10,
            timeout: 3_000,
          }).catch(() => undefined);
          expect(shown()).toEqual(expected);
          expect([...told.wrong]).toEqual([]);
        }
      });
    });
  },
);

function secretNames(states: readonly CaseState[]): string[] {
  const names = states.flatMap((s) => s.kubernetes.filter(({ kind }) => kind === "Secret").map((o) => o.metadata.name));
  return [...new Set(names)];
}

function expectedOf(one: CalicoCase, state: CaseState, api: Api, followsServices: boolean): Record<string, Fields> {
  const information = kubernetesForm(one, { resources: [], kubernetes: [] }, api)[0] as ApiObject;
  const expected: Record<string, Fields> = { "ClusterInformation default": shownOf(information) };
  for (const object of state.resources.filter(({ kind }) => kind !== "Node").map(withDefaults)) {
    const type = object.kind === "BlockAffinity" && api === "crd.projectcalico.org/v1" ? { type: "host" } : {};
    const spec = { ...type, ...(object["spec"] as Fields) };
    expected[`${object.kind} ${object.metadata.name}`] = shownOf({ ...object, spec });
  }
  for (const object of state.kubernetes) {
    const { name, namespace = "default" } = object.metadata;
    if (object.kind === "Node") expected[`kubernetes Node ${name}`] = shownOf(object);
    else if (followsServices || object.kind === "Secret")
      expected[`${object.kind} ${namespace}/${name}`] = shownOf(object);
  }
  return expected;
}

/** What of an object matters to BGP: of what was told, and of what the case says, alike. */
function shownOf(object: Pick<ApiObject, "kind" | "metadata"> & Fields): Fields {
  const { labels = {}, annotations = {} } = object.metadata as { labels?: Fields; annotations?: Fields };
  const spec = (object["spec"] ?? {}) as Fields;
  switch (object.kind) {
    case "Node":
      return { labels, annotations };
    case "Secret":
      return { data: object["data"] };
    case "Service": {
      const { type, clusterIP, clusterIPs, externalIPs, externalTrafficPolicy, ipFamilies } = spec;
      return { type, clusterIP, clusterIPs, externalIPs, externalTrafficPolicy, ipFamilies };
    }
    case "EndpointSlice": {
      const endpoints = object["endpoints"] as readonly { nodeName?: string; conditions?: { ready?: boolean } }[];
      const places = endpoints.map(({ nodeName, conditions }) => `${nodeName} ${conditions?.ready ?? "unset"}`);
      return {
        service: labels["kubernetes.io/service-name"],
        addressType: object["addressType"],
        places: [...new Set(places)],
      };
    }
    case "BlockAffinity":
      return { spec };
    default:
      return { labels, spec };
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)]));
}
