/** What the API server refuses, and how starling gets to it at all: each refusal says what is to be done, and keeps nothing else waiting. */

import { describe, expect, it } from "vitest";
import { waitFor } from "../../../harness/wait-for.ts";
import { follow, followed, peer, secret, seen, startApi, synced, V1 } from "./kubernetes-fixture.ts";

describe("a kind that is refused", () => {
  it("403 on one that BGP needs: the others are told, starting waits, and it is said what to grant", async () => {
    const api = await startApi();
    api.faults.push({ on: "/bgpfilters", do: 403 });
    api.objects.put(peer("a"));
    const all = follow(api);
    await seen(all.told, "set BGPPeer a");
    await waitFor(() => all.told.disturbance, { what: "that it is said", interval: 5 });
    expect(all.told.disturbance).toContain("grant get/list/watch on bgpfilters.crd.projectcalico.org to the account");
    expect(all.told.isSynced).toBe(false);
    api.faults.length = 0;
    await synced(all);
    await seen(all.told, "current");
  });

  it("403 on one that BGP can do without: a problem, and all goes on", async () => {
    const api = await startApi();
    api.faults.push({ on: "/caliconodestatuses", do: 403 });
    const all = follow(api);
    await synced(all);
    expect(all.told.wrong.get("caliconodestatuses.crd.projectcalico.org")).toContain("forbidden (403)");
    expect(all.told.disturbance).toBeUndefined();
    api.faults.length = 0;
    await waitFor(() => all.told.wrong.size === 0, { what: "that it is allowed", interval: 5 });
  });

  it("404, a CustomResourceDefinition that is not installed: a problem, and looked for again slowly", async () => {
    const api = await startApi();
    api.faults.push({ on: "/bgpfilters", do: 404 });
    const all = follow(api);
    await synced(all);
    expect(all.told.wrong.get("bgpfilters.crd.projectcalico.org")).toContain(
      "install Calico's CustomResourceDefinitions",
    );
    api.requests.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(api.requests.filter((r) => r.includes("bgpfilters")).length).toBeLessThan(10);
    api.faults.length = 0;
    api.objects.put({ apiVersion: V1, kind: "BGPFilter", metadata: { name: "f" }, spec: {} });
    await seen(all.told, "set BGPFilter f");
    expect([...all.told.wrong]).toEqual([]);
  });

  it("404 for a kind that was there takes nothing away", async () => {
    const api = await startApi();
    api.objects.put(peer("a"));
    const { told } = await followed(api);
    api.faults.push({ on: "/bgppeers", do: 404 });
    api.disconnect();
    await waitFor(() => told.disturbance, { what: "that it is said", interval: 5 });
    expect(told.names()).toEqual(["BGPPeer a"]);
    api.faults.length = 0;
    await seen(told, "current");
  });

  it("429 and 503 are waited out for as long as the server asks, and 500 is tried again", async () => {
    const api = await startApi();
    api.faults.push({ on: "/bgppeers", do: 429, retryAfter: 1, times: 1 });
    api.faults.push({ on: "/ippools", do: 500, times: 2 });
    const all = follow(api);
    await waitFor(() => api.requests.filter((r) => r.includes("/ippools")).length >= 3, { what: "pools", interval: 5 });
    expect(api.requests.filter((r) => r.includes("/bgppeers"))).toHaveLength(1);
    await synced(all);
  });

  it("an answer that is no list, or breaks off, is tried again", async () => {
    const api = await startApi();
    api.objects.put(peer("a"));
    for (const raw of ["<html>hello</html>", '{"items":[{"metadata":', "[]", "{}", ""])
      api.faults.push({ on: "/bgppeers?limit", do: { raw }, times: 1 });
    const all = follow(api);
    await synced(all);
    expect(all.told.names()).toEqual(["BGPPeer a"]);
  });
});

describe("which API Calico's resources are in", () => {
  it("the newer group only where the older is not there, and none is said", async () => {
    const api = await startApi();
    api.groups = ["apps/v1"];
    const all = follow(api);
    await waitFor(() => all.told.disturbance, { what: "that it is said", interval: 5 });
    expect(all.told.disturbance).toContain("neither crd.projectcalico.org nor projectcalico.org");
    api.groups = ["projectcalico.org/v3"];
    await synced(all);
    expect(api.requests).toContainEqual(expect.stringContaining("/apis/projectcalico.org/v3/bgppeers"));

    const both = await startApi();
    both.groups = ["projectcalico.org/v3", "crd.projectcalico.org/v1"];
    await followed(both);
    expect(both.requests).toContainEqual(expect.stringContaining("/apis/crd.projectcalico.org/v1/bgppeers"));
  });

  it.each([403, 404])("where the groups are not shown (%i), the older one", async (code) => {
    const api = await startApi();
    api.faults.push({ on: "/apis", do: code, times: 1 });
    await followed(api);
    expect(api.requests).toContainEqual(expect.stringContaining("/apis/crd.projectcalico.org/v1/bgppeers"));
  });

  it("CALICO_API_GROUP decides without asking", async () => {
    const api = await startApi();
    api.groups = [];
    const all = follow(api, {}, { apiGroup: "projectcalico.org/v3" });
    await synced(all);
    expect(api.requests.some((request) => request.endsWith("/apis"))).toBe(false);
  });
});

describe("Secrets with passwords", () => {
  it("of those that are wanted each is told, or that it is not there; nothing else is read", async () => {
    const api = await startApi();
    for (const name of ["bgp", "other"]) api.objects.put(secret(name));
    api.objects.put(secret("bgp", "elsewhere"));
    const { told, datastore } = await followed(api);
    datastore.wantSecrets("kube-system", ["bgp", "missing"]);
    await seen(told, "set Secret kube-system/bgp");
    await seen(told, "deleted Secret kube-system/missing");
    expect(told.objects.get("Secret kube-system/bgp")?.["data"]).toEqual({ a: "cGFzcw==" });
    const asked = api.requests.filter((request) => request.includes("secrets"));
    expect(asked.every((r) => /^GET \/api\/v1\/namespaces\/kube-system\/secrets\?/.test(r))).toBe(true);
    expect(asked.every((r) => /fieldSelector=metadata\.name%3D(bgp|missing)/.test(r))).toBe(true);

    api.objects.put(secret("missing"));
    await seen(told, "set Secret kube-system/missing");
    datastore.wantSecrets("kube-system", ["missing"]);
    expect(told.names()).toEqual(["Secret kube-system/missing"]);
    await waitFor(() => api.watched.filter((c) => c === "v1/secrets").length === 1, { what: "one watch", interval: 5 });
    api.objects.delete(secret("missing"));
    await seen(told, "deleted Secret kube-system/missing");
  });

  it("403: says what to grant where, and that there is none; when it is granted, the Secret is told", async () => {
    const api = await startApi();
    api.objects.put(secret("bgp"));
    api.faults.push({ on: "/secrets", do: 403 });
    const { told, datastore } = await followed(api);
    datastore.wantSecrets("kube-system", ["bgp"]);
    await seen(told, "deleted Secret kube-system/bgp");
    const name = "secrets in namespace kube-system (resourceNames: bgp)";
    expect(told.wrong.get(name)).toBe(
      `forbidden (403): grant get/list/watch on ${name} to the account that starling runs as`,
    );
    api.faults.length = 0;
    await seen(told, "set Secret kube-system/bgp");
    expect([...told.wrong]).toEqual([]);
  });
});

describe("the end", () => {
  it("closes every connection at once, whatever is under way, and tells nothing any more", async () => {
    const api = await startApi();
    const { told, datastore } = await followed(api);
    datastore.wantSecrets("kube-system", ["bgp"]);
    await datastore.close();
    await waitFor(() => api.watched.length === 0, { what: "the end of all watches", interval: 5 });
    const before = told.log.length;
    api.objects.put(peer("late"));
    datastore.wantSecrets("kube-system", ["late"]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(told.log).toHaveLength(before);

    await api.close();
    const away = follow(api);
    await away.datastore.close();
  });
});
