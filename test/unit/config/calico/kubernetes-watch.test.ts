/** What a watch goes through: disconnections, forgotten versions, silence, garbage. Whatever happens, the picture ends up right. */

import { describe, expect, it } from "vitest";
import { waitFor } from "../../../harness/wait-for.ts";
import { follow, followed, node, peer, seen, startApi, synced, V1 } from "./kubernetes-fixture.ts";

const PEERS = `${V1}/bgppeers`;
const WATCH_PEERS = "bgppeers?watch=true";

describe("a list and the watch that follows it", () => {
  it("tells everything once, then changes as they come, and nothing that does not matter", async () => {
    const api = await startApi();
    api.objects.put(node("node-1", { status: { images: [{ names: ["x"] }] }, spec: { podCIDR: "10.1.0.0/24" } }));
    api.objects.put(peer("a"));
    const { told } = await followed(api);
    expect(told.log).toEqual(
      ["set kubernetes Node node-1", "set BGPPeer a", "synced"].sort((a, b) => sortLike(told.log, a, b)),
    );
    expect(told.objects.get("kubernetes Node node-1")).toEqual({
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: "node-1",
        labels: { rack: "a" },
        annotations: { "projectcalico.org/IPv4Address": "10.0.0.1/24" },
      },
      spec: { podCIDR: "10.1.0.0/24" },
    });
    expect(told.origins.get("BGPPeer a")).toBe("BGPPeer a");

    told.log.length = 0;
    // A heartbeat of the kubelet.
    api.objects.put(
      node("node-1", { status: { conditions: [{ lastHeartbeatTime: "now" }] }, spec: { podCIDR: "10.1.0.0/24" } }),
    );
    api.objects.put(peer("b"));
    api.objects.put(peer("a", { peerIP: "10.0.0.8" }));
    api.objects.delete(peer("b"));
    await seen(told, "deleted BGPPeer b");
    expect(told.log).toEqual(["set BGPPeer b", "set BGPPeer a", "deleted BGPPeer b"]);
    expect(told.disturbance).toBeUndefined();
  });

  it("tells of affinities those of this node alone, also when one changes hands", async () => {
    const api = await startApi();
    const affinity = (name: string, owner: string) => ({
      apiVersion: V1,
      kind: "BlockAffinity",
      metadata: { name },
      spec: { cidr: "10.0.0.0/26", node: owner, state: "confirmed", deleted: "false" },
    });
    api.objects.put(affinity("ours", "node-1"));
    api.objects.put(affinity("theirs", "node-2"));
    const { told } = await followed(api);
    expect(told.names()).toEqual(["BlockAffinity ours"]);
    expect(told.objects.get("BlockAffinity ours")?.["spec"]).toMatchObject({ deleted: false });
    api.objects.put(affinity("theirs", "node-1"));
    await seen(told, "set BlockAffinity theirs");
    api.objects.put(affinity("ours", "node-2"));
    await seen(told, "deleted BlockAffinity ours");
  });

  it("reads lists in pages, and begins anew when the rest of one is kept no longer", async () => {
    const api = await startApi();
    for (let i = 0; i < 25; i++) api.objects.put(node(`node-${i}`));
    const whole = await followed(api, { timings: { pageSize: 10 } });
    expect(whole.told.objects.size).toBe(25);
    expect(api.requests.filter((r) => r.includes("nodes?limit")).length).toBe(3);

    const other = await startApi();
    for (let i = 0; i < 25; i++) other.objects.put(node(`node-${i}`));
    other.faults.push({ on: "continue=", do: 410, times: 1 });
    const again = await followed(other, { timings: { pageSize: 10 } });
    expect(again.told.objects.size).toBe(25);
    expect(other.requests.filter((r) => /nodes$/.test(r))).toEqual(["GET /api/v1/nodes"]);
  });

  it("follows Services only where they are advertised, and waits for them before the picture is whole", async () => {
    const api = await startApi();
    api.objects.put({ apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { clusterIP: "10.96.0.9" } });
    const { told } = await followed(api);
    expect(told.names()).toEqual([]);
    const configuration = (spec: object) => ({
      apiVersion: V1,
      kind: "BGPConfiguration",
      metadata: { name: "default" },
      spec,
    });
    api.objects.put(configuration({ serviceClusterIPs: [{ cidr: "10.96.0.0/16" }] }));
    await seen(told, "set Service default/web");

    const late = follow(api);
    await synced(late);
    expect(late.told.log.indexOf("set Service default/web")).toBeLessThan(late.told.log.indexOf("synced"));
    expect(late.told.log).toContain("set Service default/web");
  });
});

describe("a watch that is interrupted", () => {
  it("goes on from the last version, without a new list", async () => {
    const api = await startApi();
    const { told } = await followed(api);
    api.objects.put(peer("a"));
    await seen(told, "set BGPPeer a");
    api.requests.length = 0;
    api.disconnect();
    api.objects.put(peer("b"));
    await seen(told, "set BGPPeer b");
    await waitFor(() => api.watched.length >= 9, { what: "all watches again", interval: 5 });
    expect(api.requests.filter((request) => request.includes("limit="))).toEqual([]);
    expect(told.log.filter((line) => line === "set BGPPeer a")).toHaveLength(1);
    expect(told.log).not.toContain("disturbed");
  });

  it("goes on from a bookmark when nothing else came for long", async () => {
    const api = await startApi();
    const { told } = await followed(api);
    for (let i = 0; i < 5; i++)
      api.objects.put(node("node-1", { metadata: { name: "node-1", labels: { i: String(i) } } }));
    const version = String(api.objects.version);
    // More than one bookmark, so that each kind has seen one of that version.
    await new Promise((resolve) => setTimeout(resolve, 150));
    api.requests.length = 0;
    api.disconnect();
    await waitFor(() => api.requests.some((r) => r.includes(WATCH_PEERS)), { what: "the watch of peers", interval: 5 });
    expect(api.requests.find((r) => r.includes(WATCH_PEERS))).toContain(`resourceVersion=${version}&`);
    expect(told.isSynced).toBe(true);
  });

  it.each(["status", "event"] as const)("410 as %s: a new list, of which only the differences are told", async (as) => {
    const api = await startApi();
    api.goneAs = as;
    for (const name of ["stays", "changes", "goes"]) api.objects.put(peer(name));
    // A bookmark would know of the version to which all is forgotten.
    api.bookmarkMilliseconds = 60_000;
    const { told } = await followed(api);
    told.log.length = 0;
    api.faults.push({ on: WATCH_PEERS, do: "reset" });
    api.disconnect();
    api.objects.put(peer("changes", { peerIP: "10.9.9.9" }));
    api.objects.delete(peer("goes"));
    api.objects.put(peer("comes"));
    api.objects.compact();
    api.faults.length = 0;
    await seen(told, "deleted BGPPeer goes");
    expect(told.log.filter((line) => line.includes("BGPPeer")).sort()).toEqual([
      "deleted BGPPeer goes",
      "set BGPPeer changes",
      "set BGPPeer comes",
    ]);
  });

  it("an API server that is away is said, with the reason; what was told stays, and all is well when it comes back", async () => {
    const api = await startApi();
    api.objects.put(peer("a"));
    const { told } = await followed(api);
    await api.close();
    await waitFor(() => told.disturbance, { what: "that it is said", interval: 5 });
    expect(told.disturbance).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .* and \d more\), since 20\d\d-/,
    );
    expect(told.names()).toEqual(["BGPPeer a"]);
    api.objects.delete(peer("a"));
    await api.listen();
    await seen(told, "deleted BGPPeer a");
    await seen(told, "current");
  });

  it("starts without an API server, and as soon as there is one tells everything", async () => {
    const api = await startApi();
    api.objects.put(peer("a"));
    await api.close();
    const all = follow(api);
    await waitFor(() => all.told.disturbance, { what: "that it is said", interval: 5 });
    expect(all.told.isSynced).toBe(false);
    await api.listen();
    await synced(all);
    expect(all.told.names()).toEqual(["BGPPeer a"]);
  });
});

describe("a watch that does what it should not", () => {
  it("a connection that is dead at the other end is given up, and another takes its place", async () => {
    const api = await startApi();
    const { told } = await followed(api, { timings: { bookmark: 150 } });
    await new Promise((resolve) => setTimeout(resolve, 100));
    api.silence();
    api.requests.length = 0;
    api.objects.put(peer("unheard"));
    await waitFor(() => api.requests.some((r) => r.includes(WATCH_PEERS)), { what: "another watch", interval: 5 });
    await seen(told, "set BGPPeer unheard");
  });

  it("an answer that never begins is given up", async () => {
    const api = await startApi();
    api.faults.push({ on: "/bgppeers", do: "hang", times: 1 });
    api.objects.put(peer("a"));
    const all = follow(api, { timings: { answer: 100 } });
    await synced(all);
    expect(all.told.names()).toEqual(["BGPPeer a"]);
  });

  it.each([
    ["a line that is no JSON", "{nonsense\n"],
    ["a line that is no event", "[1]\n"],
    ["a line that is longer than any object", `"${"x".repeat(5 * 1024 * 1024)}"\n`],
    ["an event whose object is text", '{"type":"MODIFIED","object":"x"}\n'],
  ])("%s: said, and a new list tells what may have been missed", async (_what, line) => {
    const api = await startApi();
    const { told } = await followed(api);
    api.requests.length = 0;
    api.sendRaw(PEERS, line);
    await waitFor(() => api.requests.some((r) => r.includes("bgppeers?limit")), { what: "a new list", interval: 5 });
    api.objects.put(peer("after"));
    await seen(told, "set BGPPeer after");
    expect([...told.wrong]).toEqual([]);
  });

  it("an object that cannot be read is said by name; what was told of it before stays, the others go on, and mended it is well", async () => {
    const api = await startApi();
    api.objects.put(peer("a"));
    const { told } = await followed(api);
    const broken = { ...peer("a"), metadata: { name: "a", annotations: { "projectcalico.org/metadata": "{" } } };
    api.objects.put(broken);
    api.objects.put(peer("b"));
    await seen(told, "set BGPPeer b");
    expect([...told.wrong.keys()]).toEqual(["BGPPeer a"]);
    expect(told.wrong.get("BGPPeer a")).toContain("projectcalico.org/metadata");
    expect(told.names()).toEqual(["BGPPeer a", "BGPPeer b"]);
    api.objects.put(peer("a", { peerIP: "10.0.0.7" }));
    await waitFor(() => told.wrong.size === 0, { what: "that it can be read again", interval: 5 });
    expect(told.objects.get("BGPPeer a")?.["spec"]).toEqual({ peerIP: "10.0.0.7" });
  });

  it("thousands of changes at once, while connections break, end in the same picture", async () => {
    const api = await startApi();
    const { told } = await followed(api);
    for (let i = 0; i < 3000; i++) {
      const name = `p${i % 100}`;
      if (i % 7 === 6 && told.objects.size > 0 && api.objects.get(PEERS, undefined, name) !== undefined)
        api.objects.delete(peer(name));
      else api.objects.put(peer(name, { peerIP: "10.0.0.9", description: `${i}`.padEnd(2000, "x") }));
      if (i % 500 === 250) api.disconnect();
      if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const stored = () =>
      new Map(api.objects.list(PEERS).map(({ metadata, spec }) => [`BGPPeer ${metadata.name}`, spec]));
    const shown = () => new Map([...told.objects].map(([name, object]) => [name, object["spec"]]));
    const isSame = () => JSON.stringify([...shown()].sort()) === JSON.stringify([...stored()].sort());
    await waitFor(isSame, { what: "the last state", interval: 10 });
  });

  it("events of unknown types, and watches that end at once, neither stop it nor make it spin", async () => {
    const api = await startApi();
    const { told } = await followed(api, { timings: { shortWatch: 1_000, firstWait: 20, longestWait: 100 } });
    api.sendRaw(PEERS, '{"type":"NOVELTY","object":{}}\n');
    api.faults.push({ on: WATCH_PEERS, do: { raw: "" } });
    api.disconnect();
    api.requests.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(api.requests.filter((r) => r.includes(WATCH_PEERS)).length).toBeLessThan(15);
    api.faults.length = 0;
    api.objects.put(peer("a"));
    await seen(told, "set BGPPeer a");
  });
});

/** Kinds come in no certain order. */
function sortLike(log: readonly string[], a: string, b: string): number {
  return log.indexOf(a) - log.indexOf(b);
}
