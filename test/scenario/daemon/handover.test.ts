import { describe, expect, it } from "vitest";
import { MemoryDaemon } from "../../harness/memory-daemon.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { configOf } from "../../unit/config/fixtures.ts";
import { address } from "../../unit/rib/sample.ts";

const NODES = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"] as const;
const REFLECTOR = NODES[0];
const peerName = (kind: string, at: string) => `${kind}_${at.replaceAll(".", "_")}`;
const block = (at: string) => `10.244.${at.split(".")[3]}.0/24`;

function node(at: string, peers: readonly string[], more = "") {
  return configOf(
    `asNumber: 64512\nrouterId: ${at}\nlisten: {addresses: ["${at}"]}\nkernel: {enabled: false}\n` +
      `peers: [${peers.join(", ")}]\noriginate: [{prefix: ${block(at)}, blackhole: true}]\n${more}`,
  );
}

/** As Calico names them, and lets the greater address connect. */
const mesh = (at: string) =>
  node(
    at,
    NODES.filter((to) => to !== at).map(
      (to) => `{name: ${peerName("Mesh", to)}, address: ${to}, localAddress: ${at}, passive: ${to > at}}`,
    ),
  );
const reflected = (at: string, reflector: string = REFLECTOR) =>
  at === reflector
    ? node(
        at,
        NODES.filter((to) => to !== at).map(
          (to) =>
            `{name: ${peerName("Node", to)}, address: ${to}, localAddress: ${at}, routeReflectorClient: true, clusterId: 1.0.0.1}`,
        ),
      )
    : node(at, [`{name: ${peerName("Node", reflector)}, address: ${reflector}, localAddress: ${at}}`]);

async function world(config: (at: string) => ReturnType<typeof node>, nodes: readonly string[] = NODES) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const daemons = new Map<string, MemoryDaemon>();
  for (const at of nodes) {
    const one = new MemoryDaemon(address(at), network, clock, config(at));
    await one.daemon.start();
    daemons.set(at, one);
  }
  clock.advanceSeconds(30);
  const of = (at: string) => {
    const one = daemons.get(at);
    if (one === undefined) throw new RangeError(at);
    return one;
  };
  return { clock, network, daemons, of, advance: (ms: number) => advance(clock, ms) };
}

/** A daemon works in promises, too. */
async function advance(clock: VirtualClock, milliseconds: number): Promise<void> {
  for (let n = 0; n < 4; n++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(n === 0 ? milliseconds : 0);
  }
}

/** Blocks of other nodes that the daemon has no route to. */
function lacking(one: MemoryDaemon, at: string): string[] {
  const there = new Set(one.routes().map((line) => line.split(" ", 1)[0]));
  return NODES.filter((to) => to !== at && !there.has(block(to)));
}

describe("from a full mesh to a reflector and back", () => {
  it.each([
    ["the reflector first", [0, 1, 2, 3], 400],
    ["the reflector last", [3, 2, 1, 0], 400],
    ["all at once", [1, 0, 3, 2], 0],
    ["slowly", [2, 0, 3, 1], 7000],
  ] as const)("no route is lost: %s", async (_name, order, pause) => {
    const { daemons, of, advance } = await world(mesh);
    const look = () => Object.fromEntries([...daemons].map(([at, one]) => [at, lacking(one, at)]));
    const none = Object.fromEntries(NODES.map((at) => [at, []]));
    expect(look()).toEqual(none);
    const change = async (config: (at: string) => ReturnType<typeof node>) => {
      const applied: Promise<unknown>[] = [];
      for (const i of order) {
        const at = NODES[i] ?? "";
        applied.push(of(at).daemon.apply(config(at)));
        for (let ms = 0; ms < pause; ms += 50) {
          await advance(50);
          expect(look()).toEqual(none);
        }
      }
      for (let ms = 0; ms < 60_000; ms += 100) {
        await advance(100);
        expect(look()).toEqual(none);
      }
      await Promise.all(applied);
    };
    const transitions = (at: string) =>
      of(at)
        .daemon.peerOptions()
        .map(({ id, name }) => `${name} ${of(at).daemon.speaker.peer(id)?.transitions}`)
        .sort();
    await change(reflected);
    expect(of(NODES[1]).sessions()).toEqual(["Node_10_0_0_1 Established"]);
    expect(of(REFLECTOR).sessions()).toEqual(NODES.slice(1).map((at) => `${peerName("Node", at)} Established`));
    expect(
      of(NODES[2])
        .routes()
        .filter((line) => line.endsWith("from Node_10_0_0_1")).length,
    ).toBe(3);
    // The sessions with the reflector are those of the mesh.
    for (const at of NODES) expect(transitions(at)).toEqual(transitions(at).map((line) => line.replace(/\d+$/, "1")));
    await change(mesh);
    for (const at of NODES) {
      const names = NODES.filter((to) => to !== at).map((to) => peerName("Mesh", to));
      expect(of(at).sessions()).toEqual(names.map((name) => `${name} Established`));
      expect(transitions(at)).toEqual(names.map((name) => `${name} 1`));
      // Nobody reflects any more.
      expect(of(at).routes().length).toBe(4);
    }
  });

  it("a reflector of its own takes over when it has told what the mesh tells", async () => {
    const OWN = "10.0.0.9";
    const hub = node(
      OWN,
      NODES.map(
        (to) => `{name: ${peerName("Node", to)}, address: ${to}, localAddress: ${OWN}, routeReflectorClient: true}`,
      ),
    );
    const { daemons, of, advance } = await world((at) => (at === OWN ? hub : mesh(at)), [...NODES, OWN]);
    for (const at of NODES) void of(at).daemon.apply(reflected(at, OWN));
    for (let ms = 0; ms < 20_000; ms += 50) {
      await advance(50);
      for (const at of NODES) expect(lacking(of(at), at)).toEqual([]);
    }
    expect(of(REFLECTOR).sessions()).toEqual(["Node_10_0_0_9 Established"]);
    expect(
      daemons
        .get(OWN)
        ?.sessions()
        .every((line) => line.endsWith("Established")),
    ).toBe(true);
  });

  it("one that does not come holds up nothing for long", async () => {
    const { of, advance } = await world(mesh);
    const at = NODES[3];
    const lines = of(at).daemon.apply(reflected(at, "10.0.0.77"));
    await advance(29_000);
    expect(await lines).toContain("peer Mesh_10_0_0_1: removed");
    expect(lacking(of(at), at)).toEqual([]);
    expect(
      of(at)
        .sessions()
        .filter((line) => line.endsWith("Established")).length,
    ).toBe(3);
    await advance(2_000);
    expect(of(at).sessions()).toEqual([expect.stringMatching(/^Node_10_0_0_77 (Connect|Active)$/)]);
  });

  it("who comes back before he went has kept his session", async () => {
    const { of, advance } = await world(mesh);
    const at = NODES[3];
    void of(at).daemon.apply(reflected(at, "10.0.0.77"));
    await advance(10_000);
    // What goes is said once.
    const next = reflected(at, "10.0.0.77");
    expect(await of(at).daemon.apply({ ...next, originate: [] })).toEqual([`originate removed: ${block(at)}`]);
    void of(at).daemon.apply(mesh(at));
    await advance(60_000);
    expect(of(at).sessions()).toEqual(NODES.slice(0, 3).map((to) => `${peerName("Mesh", to)} Established`));
    for (const { id } of of(at).daemon.peerOptions()) expect(of(at).daemon.speaker.peer(id)?.transitions).toBe(1);
    // And is what it was: another connection is made when this one breaks.
    of(at).daemon.speaker.reset(of(at).daemon.ids.find("Mesh_10_0_0_1") as never, undefined);
    await advance(60_000);
    expect(of(at).sessions()).toContain("Mesh_10_0_0_1 Established");
  });

  it("a peer that others do not replace goes at once, with a word", async () => {
    const { of, advance } = await world(mesh);
    const without = node(NODES[3], [
      `{name: Mesh_10_0_0_1, address: 10.0.0.1, localAddress: ${NODES[3]}}`,
      `{name: Mesh_10_0_0_2, address: 10.0.0.2, localAddress: ${NODES[3]}}`,
    ]);
    void of(NODES[3]).daemon.apply(without);
    await advance(100);
    expect(of(NODES[3]).sessions().length).toBe(2);
    const other = of(NODES[2]).daemon;
    expect(other.speaker.peer(other.ids.find("Mesh_10_0_0_4") as never)?.lastError).toContain("Cease");
  });
});
