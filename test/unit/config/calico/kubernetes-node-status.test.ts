/** The status of a CalicoNodeStatus, written through the API server: to the subresource, over conflicts, with an annotation beside it. */

import { describe, expect, it } from "vitest";
import type { KubernetesApi } from "../../../harness/kubernetes-api.ts";
import type { ApiObject } from "../../../harness/kubernetes-objects.ts";
import { waitFor } from "../../../harness/wait-for.ts";
import { followed, seen, startApi, V1 } from "./kubernetes-fixture.ts";

const NAME = "node-1-status";
const status = { lastUpdated: "2026-01-01T00:00:00Z", bgp: { numberEstablishedV4: 1 } };
const spec = { node: "node-1", classes: ["BGP"], updatePeriodSeconds: 10 };

function request(more: object = {}): ApiObject {
  return {
    apiVersion: V1,
    kind: "CalicoNodeStatus",
    metadata: { name: NAME, annotations: { "a.b/c": "kept" } },
    spec,
    ...more,
  };
}

async function world() {
  const api = await startApi();
  api.objects.put(request());
  api.objects.put({ ...request(), metadata: { name: "of-another" }, spec: { ...spec, node: "node-2" } });
  const { told, datastore } = await followed(api);
  await seen(told, `set CalicoNodeStatus ${NAME}`);
  api.requests.length = 0;
  const stored = () => api.objects.get(`${V1}/caliconodestatuses`, undefined, NAME);
  const writes = () =>
    api.requests.filter((r) => !r.startsWith("GET")).map((r) => r.replace(/ .*caliconodestatuses/, " "));
  return { api, told, datastore, stored, writes };
}

/** How often single resources were read. */
function gets(api: KubernetesApi): number {
  return api.requests.filter((line) => /^GET .*caliconodestatuses\/of-\d+$/.test(line)).length;
}

describe("the status of a CalicoNodeStatus", () => {
  it("goes to the status subresource, and what it has no room for into annotations, when that changes", async () => {
    const { datastore, stored, writes, told } = await world();
    expect(told.names()).toEqual([`CalicoNodeStatus ${NAME}`]);
    await datastore.writeNodeStatus(NAME, status, { "starling/conditions": "[]" });
    expect(stored()?.["status"]).toEqual(status);
    expect(stored()?.["spec"]).toEqual(spec);
    expect(stored()?.metadata["annotations"]).toEqual({ "a.b/c": "kept", "starling/conditions": "[]" });
    expect(writes()).toEqual([`PUT /${NAME}/status`, `PATCH /${NAME}`]);

    await datastore.writeNodeStatus(
      NAME,
      { ...status, lastUpdated: "2026-01-01T00:00:10Z" },
      { "starling/conditions": "[]" },
    );
    expect(writes()).toEqual([`PUT /${NAME}/status`, `PATCH /${NAME}`, `PUT /${NAME}/status`]);
  });

  it.each([true, false])(
    "is asked for by a spec, and told when that changes (only metadata watched: %s)",
    async (only) => {
      const api = await startApi();
      api.givesMetadataOnly = only;
      for (let i = 0; i < 20; i++)
        api.objects.put({
          ...request({ status }),
          metadata: { name: `of-${i}` },
          spec: { ...spec, node: `node-${i}` },
        });
      const { told, datastore } = await followed(api);
      await seen(told, "set CalicoNodeStatus of-1");
      expect(told.names()).toEqual(["CalicoNodeStatus of-1"]);
      // Of its status only that there is one.
      expect(told.objects.get("CalicoNodeStatus of-1")).toMatchObject({ spec, status: { lastUpdated: "" } });

      // Statuses, ours and others', change nothing and are not read.
      await waitFor(() => gets(api) === 20, { what: "each to be read once", interval: 5 });
      for (const name of ["of-1", "of-2"]) await datastore.writeNodeStatus(name, { ...status, bgp: {} }, {});
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(gets(api)).toBe(22);
      expect(told.log.filter((line) => line.includes("Status"))).toEqual(["set CalicoNodeStatus of-1"]);

      api.objects.put({ ...request(), metadata: { name: "of-2" }, spec });
      await seen(told, "set CalicoNodeStatus of-2");
      api.objects.put({ ...request(), metadata: { name: "of-1" }, spec: { ...spec, node: "node-2" } });
      await seen(told, "deleted CalicoNodeStatus of-1");
      api.objects.delete({ ...request(), metadata: { name: "of-2" } });
      await seen(told, "deleted CalicoNodeStatus of-2");
    },
  );

  it("one that cannot be read at first is read again", async () => {
    const api = await startApi();
    api.faults.push({ on: `/${NAME}`, do: 500, times: 3 });
    api.objects.put(request());
    const { told } = await followed(api);
    await seen(told, `set CalicoNodeStatus ${NAME}`);
  });

  it("is written over what somebody else wrote meanwhile, and keeps it", async () => {
    const { api, datastore, stored } = await world();
    let others = 2;
    api.beforeWrite = () => {
      if (others-- > 0) api.objects.put(request({ spec: { ...spec, updatePeriodSeconds: 60 + others } }));
    };
    await datastore.writeNodeStatus(NAME, status, {});
    expect(stored()).toMatchObject({ status, spec: { updatePeriodSeconds: 60 } });
  });

  it("is a part of the object where the definition has no subresource, as in older releases", async () => {
    const { api, datastore, stored } = await world();
    api.hasStatusSubresource = false;
    await datastore.writeNodeStatus(NAME, status, { "starling/conditions": "[]" });
    expect(stored()).toMatchObject({ status, spec, metadata: { annotations: { "starling/conditions": "[]" } } });
  });

  it("is given up, with the reason, when there is no end of it", async () => {
    const { api, datastore } = await world();
    api.beforeWrite = () => void api.objects.put(request());
    await expect(datastore.writeNodeStatus(NAME, status, {})).rejects.toThrow(/409.*modified/);
  });

  it.each([
    [403, "/status", /403.*grant update on caliconodestatuses\/status/],
    [403, `/${NAME}`, /403.*grant get on caliconodestatuses/],
    [500, "/status", /HTTP 500/],
  ] as const)("%i on %s says what to do", async (code, on, message) => {
    const { api, datastore } = await world();
    api.faults.push({ on, do: code });
    await expect(datastore.writeNodeStatus(NAME, status, {})).rejects.toThrow(message);
  });

  it("of one that is gone: 404", async () => {
    const { datastore } = await world();
    await expect(datastore.writeNodeStatus("nobody", status, {})).rejects.toThrow(/404.*"nobody" not found/);
  });
});
