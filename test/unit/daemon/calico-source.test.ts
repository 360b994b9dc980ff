import { describe, expect, it } from "vitest";
import { formatRouterId } from "../../../src/bgp/model/ids.ts";
import { CalicoConfig } from "../../../src/config/calico/calico-config.ts";
import { isError } from "../../../src/config/problem.ts";
import { formatConfig, showConfig } from "../../../src/config/show.ts";
import { fileOf, OPTIONS, type SourceBench, sourceBench } from "../../harness/calico-source.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const mesh = (bench: SourceBench) => {
  bench.node("node-1", "10.0.0.1");
  bench.node("node-2", "10.0.0.2");
};
const names = (bench: SourceBench) => bench.last.peers.map(({ name }) => name);

describe("the start", () => {
  it("waits until everything has been told, and says what for", async () => {
    const bench = await sourceBench(new VirtualClock());
    mesh(bench);
    bench.events.disturbed("10.0.0.9:2379: connection refused");
    await bench.settle(10_000);
    expect(bench.changes).toEqual([]);
    expect(bench.source.readiness()).toEqual([
      "waiting for Calico's datastore (file): it has not told everything yet: 10.0.0.9:2379: connection refused",
    ]);
    expect(bench.logged("warn")).toEqual(["waiting for Calico's datastore"]);
    bench.events.disturbed(undefined);
    bench.events.synced();
    await bench.settle();
    expect(names(bench)).toEqual(["Mesh_10_0_0_2"]);
    expect(formatRouterId(bench.last.routerId)).toBe("10.0.0.1");
    expect(bench.source.readiness()).toEqual([]);
    expect(bench.source.view()).toMatchObject({ release: "3.33", datastore: { current: true, reason: null } });
  });

  it("waits for the Node of its own", async () => {
    const bench = await sourceBench(new VirtualClock());
    bench.node("node-2", "10.0.0.2");
    bench.events.synced();
    await bench.settle();
    expect(bench.changes).toEqual([]);
    expect(bench.source.readiness()[0]).toContain("there is no Node node-1 in the datastore yet");
    bench.node("node-3", "10.0.0.3");
    await bench.settle();
    expect(bench.logged("warn")).toEqual(["waiting for Calico's resources"]);
    bench.node("node-1", "10.0.0.1");
    await bench.settle();
    expect(names(bench)).toEqual(["Mesh_10_0_0_2", "Mesh_10_0_0_3"]);
  });

  it("acts for the Node that is selected, and says which one that is", async () => {
    const nodeSelector = { text: "all()", addresses: ["10.0.0.1"] };
    const options = { ...OPTIONS, nodeName: "machine", nodeSelector, role: "route-reflector" } as const;
    const bench = await sourceBench(new VirtualClock(), fileOf(), options);
    expect(bench.source.view().nodeName).toBe("all()");
    mesh(bench);
    bench.events.synced();
    await bench.settle();
    expect(bench.source.view().nodeName).toBe("node-1");
    expect(bench.logged("info")).toContain("acting for this Node");
  });

  it("waits for the passwords, but not for ever", async () => {
    const password = { secretKeyRef: { name: "bgp", key: "k" } };
    const told = await sourceBench(new VirtualClock());
    mesh(told);
    told.set("BGPConfiguration", "default", { nodeMeshPassword: password });
    told.events.synced();
    await told.settle();
    expect(told.wanted).toEqual([["bgp"]]);
    expect(told.changes).toEqual([]);
    expect(told.source.readiness()[0]).toContain("it has not told the Secrets bgp yet");
    told.secret("bgp", "k", "geheim");
    await told.settle();
    expect(told.changes.map(({ peers }) => peers[0]?.password)).toEqual(["geheim"]);

    const silent = await sourceBench(new VirtualClock());
    mesh(silent);
    silent.set("BGPConfiguration", "default", { nodeMeshPassword: password });
    silent.events.synced();
    await silent.settle(6000);
    expect(silent.changes.map(({ peers }) => peers[0]?.password)).toEqual([undefined]);
    expect(silent.logged("warn")).toContain("going on without the passwords in Secrets that cannot be read");
    expect(JSON.stringify([told.log.lines, silent.log.lines])).not.toContain("geheim");
  });
});

describe("what config show says of it", () => {
  it("in the form of Calico's own tests, and nothing of passwords", async () => {
    const bench = await sourceBench(new VirtualClock());
    mesh(bench);
    bench.secret("bgp", "k", "geheim");
    bench.set("BGPConfiguration", "default", { nodeMeshPassword: { secretKeyRef: { name: "bgp", key: "k" } } });
    bench.events.synced();
    await bench.settle();
    const shown = JSON.stringify(showConfig(bench.last, []));
    const text = formatConfig(bench.last);
    expect(bench.last.peers[0]?.password).toBe("geheim");
    expect(`${shown}${text}`).not.toContain("geheim");
    expect(JSON.parse(shown)).toMatchObject({
      peers: [{ name: "Mesh_10_0_0_2", passwordSet: true, source: "calico:Node/node-2" }],
      calico: { nodeName: "node-1", release: "3.33", ipv4: { peers: [{ name: "Mesh_10_0_0_2", passwordSet: true }] } },
    });
    expect(Object.keys(JSON.parse(shown).calico.ipv4.peers[0])).not.toContain("source");
    expect(text).toMatch(/^# Node node-1, as Calico 3.33 has it/);
  });
});

describe("while it runs", () => {
  async function running(file?: Parameters<typeof sourceBench>[1]) {
    const bench = await sourceBench(new VirtualClock(), file);
    mesh(bench);
    bench.events.synced();
    await bench.settle();
    return bench;
  }

  it("changes that come together are one", async () => {
    const bench = await running();
    for (let i = 3; i < 9; i++) bench.node(`node-${i}`, `10.0.0.${i}`);
    await bench.settle();
    expect(bench.changes).toHaveLength(2);
    expect(bench.last.peers).toHaveLength(7);
    expect(bench.last.peers[0]).toBe(bench.changes[0]?.peers[0]);
  });

  it("what changes while a change is under way comes after it", async () => {
    const bench = await running();
    let finish = () => {};
    bench.take = () => new Promise<void>((resolve) => (finish = resolve));
    bench.node("node-3", "10.0.0.3");
    await bench.settle();
    bench.node("node-4", "10.0.0.4");
    await bench.settle(1000);
    expect(bench.changes).toHaveLength(2);
    finish();
    await bench.settle();
    expect(bench.changes).toHaveLength(3);
    expect(names(bench)).toEqual(["Mesh_10_0_0_2", "Mesh_10_0_0_3", "Mesh_10_0_0_4"]);
  });

  it("an outage leaves the last state, says so, and readiness alone", async () => {
    const bench = await running();
    bench.events.disturbed("the API server does not answer (nodes, ippools), since 2026-01-01T00:00:00.000Z");
    await bench.settle();
    bench.events.disturbed("the API server does not answer (nodes), since 2026-01-01T00:00:01.000Z");
    await bench.settle();
    bench.events.disturbed("the API server does not answer");
    await bench.settle(60_000);
    expect(bench.source.readiness()).toEqual([]);
    expect(bench.source.view().datastore).toEqual({
      type: "file",
      current: false,
      reason: "the API server does not answer",
    });
    expect(bench.logged("warn")).toEqual(["Calico's datastore is away: the last state of its resources stands"]);
    expect(names(bench)).toEqual(["Mesh_10_0_0_2"]);
    bench.events.disturbed(undefined);
    await bench.settle();
    expect(bench.source.view().datastore.current).toBe(true);
    expect(bench.logged("info")).toContain("Calico's datastore answers");
  });

  it("a Node of its own that goes leaves the last state", async () => {
    const bench = await running();
    bench.delete("Node", "node-1");
    await bench.settle();
    expect(bench.changes).toHaveLength(1);
    expect(bench.source.readiness()).toEqual([]);
    expect(bench.logged("warn")).toEqual(["the last state of Calico's resources stands"]);
  });

  it("a problem is told once as long as it is there, and costs what it is about alone", async () => {
    const bench = await running();
    const wrong = { peerIP: "10.0.0.300", asNumber: 65001 };
    bench.set("BGPPeer", "tor", wrong);
    await bench.settle();
    bench.node("node-3", "10.0.0.3");
    await bench.settle();
    const told = () => bench.logged("error").filter((line) => line.includes("BGPPeer/tor"));
    expect(told()).toHaveLength(1);
    expect(bench.problems.filter(isError).map(({ path }) => path)).toEqual(["calico:BGPPeer/tor.spec.peerIP"]);
    expect(bench.source.view().problems).toBeGreaterThan(0);
    expect(names(bench)).toEqual(["Mesh_10_0_0_2", "Mesh_10_0_0_3"]);
    bench.delete("BGPPeer", "tor");
    await bench.settle();
    expect(bench.source.view().problems).toBe(0);
    bench.set("BGPPeer", "tor", wrong);
    await bench.settle();
    expect(told()).toHaveLength(2);
  });

  it("what leads nowhere is shown, and rejects nothing", async () => {
    const bench = await running();
    bench.set("BGPPeer", "tor", { peerIP: "10.0.0.254", asNumber: 65001, filters: ["none"] });
    await bench.settle();
    expect(bench.problems.map(({ path }) => path)).toEqual(["calico:BGPPeer/tor.spec.filters[0]"]);
    expect(bench.source.view().problems).toBe(0);
    expect(names(bench)).toContain("Global_10_0_0_254");
  });

  it("the file's own peers stand beside those of the resources; where they clash these stay", async () => {
    const peers = [
      { name: "tor", address: "10.0.0.254", asNumber: 65001, export: ["calico/export/ipv4"] },
      { name: "twin", address: "10.0.0.2" },
    ];
    const bench = await running(fileOf({ peers }));
    expect(names(bench)).toEqual(["Mesh_10_0_0_2", "tor"]);
    expect(bench.problems.map(({ message }) => message)).toEqual([
      `"twin" is left out: Calico's resources have "Mesh_10_0_0_2" in its place`,
    ]);
    const other = new CalicoConfig(fileOf({ peers: [], log: { level: "debug" } }), OPTIONS);
    const read = bench.source.replaceFile(other)?.config;
    expect(read?.peers).toEqual([bench.last.peers[0]]);
    expect([bench.last.log.level, read?.log.level]).toEqual(["info", "debug"]);
    bench.node("node-3", "10.0.0.3");
    await bench.settle();
    expect(names(bench)).toEqual(["Mesh_10_0_0_2", "Mesh_10_0_0_3"]);
    expect(bench.last.log.level).toBe("debug");
  });

  it("a file that is read again while resources are merged with the one before counts in the end", async () => {
    const clock = new VirtualClock();
    const bench = await sourceBench(clock);
    mesh(bench);
    bench.events.synced();
    await bench.settle();
    bench.node("node-3", "10.0.0.3");
    // Merged, but not taken over yet.
    clock.advance(100);
    bench.source.replaceFile(new CalicoConfig(fileOf({ log: { level: "debug" } }), OPTIONS));
    await bench.settle();
    expect([names(bench), bench.last.log.level]).toEqual([["Mesh_10_0_0_2", "Mesh_10_0_0_3"], "debug"]);
  });

  it("after its end nothing happens any more", async () => {
    const bench = await running();
    bench.node("node-3", "10.0.0.3");
    await bench.source.close();
    await bench.settle();
    expect(bench.changes).toHaveLength(1);
    expect(bench.isClosed).toBe(true);
  });
});
