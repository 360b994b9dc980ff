import { describe, expect, it } from "vitest";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { MemoryDaemon } from "../../harness/memory-daemon.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { modelOf } from "../config/calico/models.ts";
import { configOf } from "../config/fixtures.ts";
import { address, attributes, id, prefix } from "../rib/sample.ts";

const HUB = "10.0.0.1";
const hub = (more: string) =>
  configOf(`asNumber: 64512\nrouterId: ${HUB}\nlisten: {addresses: ["${HUB}"]}\nkernel: {enabled: false}\n${more}`);
const spoke = (at: string, prefix: string) =>
  configOf(
    `asNumber: 64512\nrouterId: ${at}\nlisten: {addresses: ["${at}"]}\nkernel: {enabled: false}\n` +
      `peers: [{name: hub, address: ${HUB}, localAddress: ${at}}]\noriginate: [{prefix: ${prefix}, blackhole: true}]`,
  );
const RANGE = "{name: pods, range: 10.0.0.0/24, routeReflectorClient: true}";

function world() {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const start = async (at: string, config: ReturnType<typeof hub>, restarting = false) => {
    const one = new MemoryDaemon(address(at), network, clock, config, restarting);
    await one.daemon.start();
    return one;
  };
  return { clock, network, start };
}

describe("peers from a range", () => {
  it("come by a name of their own, and leave nothing behind when they go", async () => {
    const { clock, start } = world();
    const center = await start(HUB, hub(`peers: [${RANGE}]`));
    const one = await start("10.0.0.2", spoke("10.0.0.2", "10.1.0.0/16"));
    clock.advanceSeconds(20);
    expect(center.sessions()).toEqual(["pods-10.0.0.2 Established"]);
    expect(center.routes()).toEqual(["10.1.0.0/16 from pods-10.0.0.2"]);
    await one.daemon.stop(true);
    clock.advanceSeconds(20);
    expect([center.sessions(), center.routes()]).toEqual([[], []]);
    expect(center.daemon.rib.attributes.count).toBe(0);
  });

  it("get the limits that a reload gives their range, and are held to them", async () => {
    const { clock, start } = world();
    const limited = (limit: number) =>
      hub(
        `peers: [{name: pods, range: 10.0.0.0/24, families: {ipv4: {maxPrefixes: {limit: ${limit}, action: shutdown}}}}]`,
      );
    const center = await start(HUB, limited(10));
    await start("10.0.0.2", spoke("10.0.0.2", "10.1.0.0/16, blackhole: true}, {prefix: 10.2.0.0/16"));
    clock.advanceSeconds(20);
    expect(center.sessions()).toEqual(["pods-10.0.0.2 Established"]);
    await center.daemon.apply(limited(1));
    clock.advanceSeconds(1);
    expect(center.sessions()).not.toContain("pods-10.0.0.2 Established");
  });

  it.each([
    ["its address", "{name: tor, address: 10.0.0.2}", "tor"],
    ["its name", "{name: pods-10.0.0.2, address: 10.0.0.3}", "pods-10.0.0.2"],
  ])("make room for a peer that the configuration gives %s", async (_what, added, name) => {
    const { clock, start } = world();
    const center = await start(HUB, hub(`peers: [${RANGE}]`));
    await start("10.0.0.2", spoke("10.0.0.2", "10.1.0.0/16"));
    await start("10.0.0.3", spoke("10.0.0.3", "10.2.0.0/16"));
    clock.advanceSeconds(20);
    expect(center.sessions()).toEqual(["pods-10.0.0.2 Established", "pods-10.0.0.3 Established"]);
    await center.daemon.apply(hub(`peers: [${RANGE}, ${added}]`));
    clock.advanceSeconds(60);
    expect(center.sessions()).toContain(`${name} Established`);
    expect(center.sessions()).toHaveLength(2);
    expect(
      center
        .routes()
        .sort()
        .map((line) => line.replace(/ .*/, "")),
    ).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
  });
});

describe("a reload", () => {
  const all = (more = "") =>
    hub(`peers: [{name: a, address: 10.0.0.2, routeReflectorClient: true}, {name: b, address: 10.0.0.3}]\n${more}`);

  it("takes a peer away and back again, as often as one likes, and forgets it each time", async () => {
    const { clock, start } = world();
    const center = await start(HUB, all());
    await start("10.0.0.2", spoke("10.0.0.2", "10.1.0.0/16"));
    const other = await start("10.0.0.3", spoke("10.0.0.3", "10.2.0.0/16"));
    for (let i = 0; i < 5; i++) {
      clock.advanceSeconds(30);
      expect(other.routes().sort()).toEqual(["10.1.0.0/16 from hub", "10.2.0.0/16 from static"]);
      await center.daemon.apply(hub("peers: [{name: b, address: 10.0.0.3}]"));
      clock.advanceSeconds(i + 0.1);
      expect(other.routes()).toEqual(["10.2.0.0/16 from static"]);
      await center.daemon.apply(all());
    }
    clock.advanceSeconds(30);
    expect(Math.max(...center.daemon.peerOptions().map(({ id }) => id))).toBeLessThan(5);
  });

  it("changes the CLUSTER_ID in which loops are looked for (RFC 4456 §8)", async () => {
    const { clock, start } = world();
    const center = await start(HUB, all("routeReflector: {clusterId: 1.0.0.1}"));
    await center.daemon.apply(all("routeReflector: {clusterId: 1.0.0.2}"));
    clock.advanceSeconds(1);
    const { rib } = center.daemon;
    const inbound = rib.peer(center.daemon.ids.find("a") as never)?.inbound;
    const seen = ["1.0.0.1", "1.0.0.2"].map((clusterId) =>
      inbound?.refusal(rib.attributes.intern(attributes({ clusterList: [id(clusterId)] })), prefix("10.9.0.0/16")),
    );
    expect(seen.map((text) => text !== undefined)).toEqual([false, true]);
  });
});

describe("a daemon that is stopped while it has much to do", () => {
  it("leaves the kernel's routes, and does not come back to life", async () => {
    const { clock, start } = world();
    const center = await start(HUB, hub(`peers: [${RANGE}]`), true);
    const one = await start("10.0.0.2", spoke("10.0.0.2", "10.1.0.0/16"));
    clock.advanceSeconds(3);
    await center.daemon.stop(false);
    clock.advanceSeconds(600);
    expect(center.sessions().every((line) => !line.endsWith("Established"))).toBe(true);
    await one.daemon.stop(true);
  });
});

describe("after a restart (RFC 4724 §3)", () => {
  it("a peer that comes when routes are selected already is told of it all the same, one that was back is not again", async () => {
    const { clock, start } = world();
    const peers = "peers: [{name: a, address: 10.0.0.2}, {name: b, address: 10.0.0.3, passive: true}]";
    const center = await start(HUB, hub(peers), true);
    await start("10.0.0.2", spoke("10.0.0.2", "10.1.0.0/16"));
    clock.advanceSeconds(15);
    expect(center.log.lines.map(({ event }) => event)).toContain("restart finished: routes are selected again");
    const late = await start("10.0.0.3", spoke("10.0.0.3", "10.2.0.0/16"));
    const told = () => {
      const facts = late.daemon.rib.peer(late.daemon.ids.find("hub") as PeerId)?.facts;
      return [facts?.isRestarting, facts?.forwardingPreserved];
    };
    clock.advanceSeconds(5);
    expect(told()).toEqual([true, [Family.Ipv4]]);
    center.daemon.speaker.reset(center.daemon.ids.find("b") as PeerId, undefined);
    clock.advanceSeconds(30);
    expect(told()).toEqual([false, []]);
  });
});

describe("readiness without permission to write routes", () => {
  it("is withheld from a Calico node, whose pods would not be reached, and from nobody else", async () => {
    const { start } = world();
    const writing = hub("peers: []");
    const asked = { ...writing, kernel: { ...writing.kernel, enabled: true } };
    const missing = async (config: typeof asked) => (await start(HUB, config)).daemon.readiness();
    expect(await missing(asked)).toEqual([]);
    expect(await missing({ ...asked, calico: modelOf() })).toEqual([expect.stringMatching(/^no routes are written/)]);
    expect(await missing({ ...writing, calico: modelOf() })).toEqual([]);
  });
});
