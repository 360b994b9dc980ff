import { describe, expect, it } from "vitest";
import type { StoredObject } from "../../../src/config/calico/stored-object.ts";
import type { BirdRoute } from "../../../src/control/bird/bird-view.ts";
import type { PeerView } from "../../../src/control/views.ts";
import { CONDITIONS_ANNOTATION, NodeStatusReporter } from "../../../src/daemon/node-status.ts";
import { problemsBy, schemasIn } from "../../harness/crd-schema.ts";
import { birdRoute, ExampleBirdView } from "../../harness/example-bird-view.ts";
import { examplePeer } from "../../harness/example-view.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { shared } from "../../harness/shared-data.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

interface Written {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is written is JSON that each test reads in its own way.
  readonly status: any;
  readonly conditions: readonly object[];
}

const CRD = shared("calico/crd-v1");

function world() {
  const clock = new VirtualClock();
  const log = new MemoryLog();
  const bird = new ExampleBirdView();
  const written: Written[] = [];
  const state = {
    peers: [] as PeerView[],
    lacking: [] as string[],
    refusal: undefined as string | undefined,
    paths: { ipv4: 7, ipv6: 9 },
  };
  const reporter = new NodeStatusReporter({
    bird,
    view: {
      peers: () => state.peers,
      readiness: () => state.lacking,
      summary: () => ({ paths: state.paths }) as never,
    },
    clock,
    logger: log,
    nodeName: "node-1",
    write: () => async (name, status, annotations) => {
      if (state.refusal !== undefined) throw new RangeError(state.refusal);
      const conditions = JSON.parse(annotations[CONDITIONS_ANNOTATION] ?? "null");
      written.push({ name, status, conditions });
    },
  });
  /** Promises have their turn as well. */
  const run = async (seconds: number) => {
    for (let i = 0; i <= seconds; i++) {
      for (let turn = 0; turn < 12; turn++) {
        clock.advance(0);
        await new Promise((resolve) => setImmediate(resolve));
      }
      clock.advance(i === seconds ? 0 : 1000);
    }
  };
  return { clock, log, bird, written, state, reporter, run };
}

function request(spec: object = {}, more: object = {}): StoredObject {
  const whole = { node: "node-1", classes: ["Agent", "BGP", "Routes"], updatePeriodSeconds: 10, ...spec };
  return {
    apiVersion: "projectcalico.org/v3",
    kind: "CalicoNodeStatus",
    metadata: { name: "s" },
    spec: whole,
    ...more,
  };
}

async function reported(
  given: Partial<ReturnType<typeof world>["state"]>,
  routes: readonly BirdRoute[] = [],
): Promise<Written> {
  const { bird, state, reporter, run, written } = world();
  Object.assign(state, given);
  bird.makeRoutes = ({ family }) => routes.filter(({ prefix }) => prefix.includes(":") === (family === "ipv6"));
  reporter.set(request());
  await run(1);
  return written[0] as Written;
}

describe("what a CalicoNodeStatus says", () => {
  const peers = [
    examplePeer({ name: "Global_10_0_0_4", address: "10.0.0.4", state: "Active", lastError: "hold timer expired" }),
    examplePeer({
      name: "Local_Workload_10_244_1_7",
      address: "10.244.1.7",
      since: new Date(2026, 2, 2, 8, 0, 5).toISOString(),
    }),
    examplePeer({ name: "Mesh_fd00__2", address: "fd00::2" }),
    examplePeer({
      name: "Node_10_0_0_3_port_1790",
      address: "10.0.0.3",
      state: "Idle",
      enabled: false,
      lastError: null,
    }),
    examplePeer({ name: "a-range", address: null }),
  ];

  it("of the agent: as BIRD's two daemons, and not ready while something is missing", async () => {
    const daemon = {
      state: "Ready",
      version: expect.stringMatching(/^starling v\d/),
      routerID: "10.0.0.1",
      lastBootTime: "2026-03-05 08:00:01",
      lastReconfigurationTime: "2026-02-27 23:59:59",
    };
    const well = await reported({});
    expect(well.status.agent).toEqual({ birdV4: daemon, birdV6: daemon });
    expect(well.conditions).toEqual([]);
    const lacking = await reported({ lacking: ["the first kernel reconciliation is not done"] });
    expect(lacking.status.agent.birdV4.state).toBe("NotReady");
    expect(lacking.conditions).toEqual([{ type: "NotReady", reason: "the first kernel reconciliation is not done" }]);
  });

  it("not ready during a graceful restart (RFC 4724 §4.1), with the reason", async () => {
    const { bird, reporter, run, written } = world();
    bird.recovery = { waitingFor: 3, elapsedSeconds: 9, totalSeconds: 240 };
    reporter.set(request({ classes: ["Agent"] }));
    await run(1);
    expect(written[0]?.status.agent.birdV6.state).toBe("NotReady");
    expect(written[0]?.conditions).toEqual([
      { type: "NotReady", reason: "graceful restart: peers that have not sent all routes yet: 3" },
    ]);
  });

  it("of sessions: by family, with those of workloads on this node, and why the others are down", async () => {
    const { status, conditions } = await reported({ peers });
    expect(status.bgp).toMatchObject({
      numberEstablishedV4: 1,
      numberNotEstablishedV4: 2,
      numberEstablishedV6: 1,
      numberNotEstablishedV6: 0,
    });
    expect(status.bgp.peersV4.map(({ since: _, ...peer }: { since: string }) => peer)).toEqual([
      { peerIP: "10.0.0.4", type: "GlobalPeer", state: "Active" },
      { peerIP: "10.244.1.7", type: "NodePeer", state: "Established" },
      { peerIP: "10.0.0.3", type: "NodePeer", state: "Idle" },
    ]);
    expect(status.bgp.peersV4[1].since).toBe("2026-03-02 08:00:05");
    expect(status.bgp.peersV6[0]).toMatchObject({ peerIP: "fd00::2", type: "NodeMesh", state: "Established" });
    expect(conditions).toEqual([
      {
        type: "PeerDown",
        peer: "Global_10_0_0_4",
        peerIP: "10.0.0.4",
        reason: "hold timer expired",
      },
      {
        type: "PeerDown",
        peer: "Node_10_0_0_3_port_1790",
        peerIP: "10.0.0.3",
        reason: "disabled by an operator",
      },
    ]);
  });

  it("of routes: where each comes from, where it goes, one line for each next hop", async () => {
    const hops = [
      { gateway: "10.0.0.2", interface: "eth0" },
      { gateway: "10.0.1.2", interface: "eth1" },
    ];
    const { status } = await reported({}, [
      birdRoute({ hops }),
      birdRoute({
        protocol: "Local_Workload_10_244_1_7",
        from: "10.244.1.7",
        isBest: false,
        hops: [{ gateway: undefined, interface: "cali1" }],
      }),
      birdRoute({ kind: "static", destination: "blackhole", hops: [], protocol: "static1" }),
      birdRoute({ kind: "inherit", protocol: "kernel1", prefix: "fd00:1::/64" }),
      birdRoute({
        kind: "device",
        protocol: "direct1",
        prefix: "fd00:2::/64",
        hops: [{ gateway: undefined, interface: "eth0" }],
      }),
    ]);
    const mesh = {
      destination: "10.244.1.0/26",
      type: "FIB",
      learnedFrom: { sourceType: "NodeMesh", peerIP: "10.0.0.2" },
    };
    expect(status.routes.routesV4).toEqual([
      { ...mesh, gateway: "10.0.0.2", interface: "eth0" },
      { ...mesh, gateway: "10.0.1.2", interface: "eth1" },
      {
        ...mesh,
        type: "RIB",
        gateway: "N/A",
        interface: "cali1",
        learnedFrom: { sourceType: "BGPPeer", peerIP: "10.244.1.7" },
      },
      { ...mesh, gateway: "N/A", interface: "blackhole", learnedFrom: { sourceType: "Static" } },
    ]);
    expect(status.routes.routesV6.map(({ learnedFrom }: { learnedFrom: object }) => learnedFrom)).toEqual([
      { sourceType: "Kernel" },
      { sourceType: "Direct" },
    ]);
  });

  it("never more than a resource can hold: of too many peers and routes it says how many there are", async () => {
    const many = (state: PeerView["state"], from: number, count: number) =>
      Array.from({ length: count }, (_, i) =>
        examplePeer({
          name: `p${from + i}`,
          address: `10.1.${(from + i) >> 8}.${(from + i) & 255}`,
          state,
          lastError: "x".repeat(9999),
        }),
      );
    const routes = Array.from({ length: 5000 }, () => birdRoute());
    const { status, conditions } = await reported(
      { peers: [...many("Established", 0, 3000), ...many("Active", 3000, 200)], paths: { ipv4: 5000, ipv6: 0 } },
      routes,
    );
    expect(status.bgp.numberEstablishedV4).toBe(3000);
    expect(status.bgp.peersV4).toHaveLength(1500);
    expect(status.bgp.peersV4.filter(({ state }: { state: string }) => state === "Active")).toHaveLength(200);
    expect(status.routes.routesV4).toHaveLength(1500);
    expect(conditions).toContainEqual({ type: "Truncated", reason: "peersV4 shows 1500 of 3200" });
    expect(conditions).toContainEqual({ type: "Truncated", reason: "routesV4 shows 1500 of 5000" });
    expect(conditions).toContainEqual({ type: "Truncated", reason: "150 more peers are not Established" });
    expect(JSON.stringify(status).length).toBeLessThan(1_000_000);
    expect(JSON.stringify(conditions).length).toBeLessThan(100_000);
  });

  it.skipIf(CRD === undefined)("in the form of Calico's own definition (skipped without ../shared/data)", async () => {
    const schema = schemasIn(CRD as string).get("CalicoNodeStatus");
    const routes = [birdRoute(), birdRoute({ kind: "static", destination: "unreachable", hops: [] })];
    const { status, name } = await reported({ peers }, routes);
    const object = { ...request(), apiVersion: "crd.projectcalico.org/v1", metadata: { name }, status };
    expect(problemsBy(schema ?? {}, object)).toEqual([]);
    // The check can fail.
    const wrong = { ...object, status: { ...status, conditions: [] } };
    expect(problemsBy(schema ?? {}, wrong)).toEqual([".status.conditions: unknown field"]);
  });
});

describe("when it is written", () => {
  it("at once, and then in its period, only the classes that are asked for", async () => {
    const { reporter, run, written } = world();
    reporter.set(request({ classes: ["BGP"] }));
    await run(25);
    expect(written.map(({ status }) => status.lastUpdated)).toEqual([
      "2026-01-01T00:00:00Z",
      "2026-01-01T00:00:10Z",
      "2026-01-01T00:00:20Z",
    ]);
    expect(Object.keys(written[0]?.status)).toEqual(["bgp", "lastUpdated"]);
  });

  it("our own write that comes back changes nothing; another spec does, at once; and it ends with the resource", async () => {
    const { reporter, run, written } = world();
    reporter.set(request());
    await run(1);
    reporter.set(request({}, { status: { lastUpdated: "" } }));
    await run(5);
    expect(written).toHaveLength(1);
    reporter.set(request({ updatePeriodSeconds: 3600 }));
    await run(60);
    expect(written).toHaveLength(2);
    reporter.deleted("s");
    await run(7200);
    expect(written).toHaveLength(2);
  });

  it("a period of 0: once, where it was never filled", async () => {
    const { reporter, run, written } = world();
    reporter.set(request({ updatePeriodSeconds: 0 }));
    await run(600);
    expect(written).toHaveLength(1);
    const restarted = world();
    restarted.reporter.set(request({ updatePeriodSeconds: 0 }, { status: { lastUpdated: "" } }));
    await restarted.run(600);
    expect(restarted.written).toEqual([]);
  });

  it("never for another node, and no longer when it becomes another's", async () => {
    const { reporter, run, written } = world();
    reporter.set(request({ node: "node-2" }));
    await run(30);
    expect(written).toEqual([]);
    reporter.set(request());
    await run(1);
    reporter.set(request({ node: "node-2" }));
    await run(60);
    expect(written).toHaveLength(1);
  });

  it("a write that is refused is logged once, and tried again in half a minute", async () => {
    const { reporter, run, written, state, log } = world();
    state.refusal = "HTTP 403: grant update on caliconodestatuses/status";
    reporter.set(request({ updatePeriodSeconds: 1 }));
    await run(100);
    expect(log.lines.map(({ fields }) => fields)).toEqual([{ caliconodestatus: "s", reason: state.refusal }]);
    state.refusal = undefined;
    await run(31);
    expect(written.length).toBeGreaterThan(0);
  });

  it.each([
    ["no classes", { classes: undefined }, ["lastUpdated"]],
    ["classes that it does not know", { classes: ["Agent", "Weather", 7] }, ["agent", "lastUpdated"]],
    ["a period that is no number", { classes: [], updatePeriodSeconds: "soon" }, ["lastUpdated"]],
    ["a period below nothing", { classes: [], updatePeriodSeconds: -1 }, ["lastUpdated"]],
  ])("%s", async (_what, spec, keys) => {
    const { reporter, run, written } = world();
    reporter.set(request(spec));
    await run(5);
    expect(written.map(({ status }) => Object.keys(status))).toEqual([keys]);
  });

  it("nothing any more after the end", async () => {
    const { reporter, run, written } = world();
    reporter.set(request());
    reporter.close();
    reporter.set(request());
    await run(30);
    expect(written).toEqual([]);
  });
});
