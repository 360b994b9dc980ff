/** BIRD's control socket with real sessions: real clients, the programs that read it, and a real BIRD 1.6 in the same place. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RawBirdClient } from "../harness/bird-client.ts";
import { type BirdNode, starlingFile, startBird16, startCalicoNode, startStarling } from "../harness/bird-node.ts";
import {
  type Ask,
  agentStatus,
  bgpStatus,
  birdExporter,
  birdwatcher,
  calicoctlTable,
  readiness,
  routeStatus,
} from "../harness/bird-oracles.ts";
import { type Bird16, bird16 } from "../harness/bird16.ts";
import { Starling } from "../harness/daemons/starling.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { findProgram, runCommand } from "../harness/process.ts";
import { waitFor } from "../harness/wait-for.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const canRun = canMakeNetworks() && findProgram("bird") !== undefined;

async function withClient<T>(path: string, use: (ask: Ask, client: RawBirdClient) => Promise<T>): Promise<T> {
  const client = await RawBirdClient.connect(path);
  try {
    return await use((command) => client.ask(command), client);
  } finally {
    client.close();
  }
}

const settled = (path: string, routes: number) =>
  waitFor(
    () =>
      withClient(path, async (ask) => {
        const isUp = (await readiness(ask, false)) === undefined;
        return isUp && new RegExp(`^0014 ${routes} of `).test((await ask("show route count"))[0] ?? "");
      }),
    { what: `a session and ${routes} routes at ${path}`, timeout: 40_000 },
  );

describe.skipIf(!canRun)("BIRD's control socket, with real sessions", () => {
  let lab: Lab;
  let starling: BirdNode;
  let real: BirdNode | undefined;
  let old: Bird16 | undefined;
  /** A test that is tried again needs a node of its own. */
  let attempts = 0;

  beforeAll(async () => {
    lab = await Lab.create("bird-socket");
    starling = await startStarling(lab);
    old = await bird16();
    if (old !== undefined) real = await startBird16(lab, old);
    for (const each of [starling, real ?? starling]) {
      await settled(each.ipv4, 11);
      await settled(each.ipv6, 3);
    }
  }, 120_000);

  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
  });

  const on4 = <T>(use: (ask: Ask) => Promise<T>) => withClient(starling.ipv4, use);
  const on6 = <T>(use: (ask: Ask) => Promise<T>) => withClient(starling.ipv6, use);

  it("readiness: every peer in the beginning, one later", async () => {
    expect(await on4((ask) => readiness(ask, false))).toBeUndefined();
    expect(await on4((ask) => readiness(ask, true))).toBe("not established: Global_10_0_0_2_port_1790 Node_10_0_0_3");
    expect(await on6((ask) => readiness(ask, true))).toBeUndefined();
  });

  it("CalicoNodeStatus: agent, sessions and routes", async () => {
    expect(await on4(agentStatus)).toMatchObject({
      routerId: "10.0.0.1",
      state: "Ready",
      version: expect.stringMatching(/^v1\.6\.8\+starling/),
    });
    expect(await on4(bgpStatus)).toMatchObject({
      established: 2,
      notEstablished: 2,
      peers: [
        { name: "Global_10_0_0_2_port_1790", peerIp: "10.0.0.22" },
        { name: "Global_10_0_0_33", peerIp: "10.0.0.33", state: "Established" },
        { name: "Mesh_10_0_0_2", peerIp: "10.0.0.2", state: "Established" },
        { name: "Node_10_0_0_3", peerIp: "10.0.0.3", state: "Passive" },
      ],
    });
    const routes = await on4(routeStatus);
    expect(routes).toContainEqual({
      type: "FIB",
      destination: "10.244.1.0/26",
      gateway: "10.0.0.2",
      interface: "eth0",
      learntFrom: "Mesh_10_0_0_2",
    });
    expect(routes).toContainEqual({
      type: "FIB",
      destination: "10.65.0.2/32",
      gateway: "N/A",
      interface: "cali1",
      learntFrom: "kernel",
    });
    expect(routes).toContainEqual({
      type: "FIB",
      destination: "10.244.0.0/26",
      gateway: "blackhole",
      interface: "N/A",
      learntFrom: "static",
    });
    expect((await on6(routeStatus)).map(({ destination }) => destination).sort()).toEqual([
      "fd00::/64",
      "fd10::/122",
      "fd30::/122",
    ]);
  });

  it("calicoctl node status", async () => {
    const table = await on4((ask) => calicoctlTable(ask, 4));
    expect(table.map((line) => line.replace(/\d\d:\d\d:\d\d/, "TIME"))).toEqual([
      expect.stringMatching(/^10\.0\.0\.2\.port\.1790 \| global \| start \| TIME \| (Active|Connect)/),
      "10.0.0.33 | global | up | TIME | Established",
      "10.0.0.2 | node-to-node mesh | up | TIME | Established",
      "10.0.0.3 | node specific | start | TIME | Passive",
    ]);
    expect(await on6((ask) => calicoctlTable(ask, 6))).toEqual([
      expect.stringMatching(/^fd00::2 \| node-to-node mesh \| up/),
    ]);
  });

  it("bird_exporter and birdwatcher", async () => {
    const metrics = await on4(birdExporter);
    expect(metrics).toContainEqual(
      expect.objectContaining({
        name: "Mesh_10_0_0_2",
        proto: "BGP",
        up: true,
        imported: 4,
        filtered: 0,
        preferred: 4,
        importUpdates: [4, 0, 0, 0, 4],
      }),
    );
    expect(metrics).toContainEqual(
      expect.objectContaining({ name: "kernel1", proto: "Kernel", up: true, imported: 2, exported: 7 }),
    );
    const routes = await on4((ask) => birdwatcher(ask, "Mesh_10_0_0_2"));
    expect(routes.map(({ network }) => network).sort()).toEqual([
      "10.244.1.0/26",
      "10.244.2.0/26",
      "10.50.0.0/24",
      "10.96.0.0/24",
    ]);
    expect(routes.find(({ network }) => network === "10.244.1.0/26")).toMatchObject({
      gateway: "10.0.0.2",
      isPrimary: true,
      metric: 100,
      attributes: {
        origin: "IGP",
        next_hop: "10.0.0.2",
        med: "7",
        local_pref: "100",
        community: "(64512,10)",
        large_community: "(64512, 1, 2)",
      },
    });
  });

  it("real clients: BIRD 2's, 1.6's and starling's own print the same", async () => {
    const clients = [
      ["birdc"],
      ["birdcl"],
      ...(old === undefined ? [] : [[old.birdc]]),
      [process.execPath, join(checkout, "bin", "birdcl.mjs")],
    ];
    const texts = await Promise.all(
      clients.map((client) =>
        runCommand([...client, "-s", starling.ipv4, "show", "route", "protocol", "static1", "all"]),
      ),
    );
    expect(texts[0]).toMatch(/^BIRD v\S+ ready\.\n/);
    for (const text of texts) expect(text).toBe(texts[0]);
    for (const client of clients) {
      const verbose = await runCommand([...client, "-v", "-r", "-s", starling.ipv4, "s p"]);
      expect(verbose).toMatch(/^0001 BIRD .*\n0016 Access restricted\n2002-name /);
    }
  });

  it("what BIRD 1.6 says in the same place has the same form", async (context) => {
    if (real === undefined) return context.skip("BIRD 1.6 cannot be had from Debian: nothing to compare with");
    const commands = [
      "show status",
      "show protocols",
      "show protocols all Mesh_10_0_0_2",
      "show protocols all Node_10_0_0_3",
      "show protocols all static1",
      'show protocols "M*"',
      "show route",
      "show route all",
      "show route 10.244.1.0/26 all",
      "show route for 10.244.1.5",
      "show route for 99.0.0.1",
      "show route protocol Mesh_10_0_0_2",
      "show route protocol static1 all",
      "show route export Mesh_10_0_0_2 all",
      "show route export kernel1",
      "show route export Node_10_0_0_3",
      "show route count",
      "show route protocol Mesh_10_0_0_2 count",
      "show route 10.9.0.0/16",
      "show route primary",
      "show protocols all Global_10_0_0_33",
      "show route protocol Global_10_0_0_33 all",
      "show route export Global_10_0_0_33",
      "show static",
      "show symbols table",
      "show symbols nope",
      "show interfaces summary",
      "show ospf neighbors",
      "show roa",
      "show protocols nope",
      'show protocols "zz*"',
      "show route table nope",
      "show route foo",
      "disable nope",
      "frob",
      "",
      "disable Node_10_0_0_3",
      "disable Node_10_0_0_3",
      "show protocols all Node_10_0_0_3",
      "enable Node_10_0_0_3",
      "enable Node_10_0_0_3",
      "restart Node_10_0_0_3",
      "reload in Mesh_10_0_0_2",
      "echo all",
      "restrict",
      "disable all",
      "configure",
    ];
    const say = (path: string) =>
      withClient(path, async (ask) => {
        const answers: Record<string, string[]> = {};
        for (const [i, command] of commands.entries())
          answers[`${i}: ${command}`] = formOf(command, await ask(command));
        return answers;
      });
    for (const path of [starling.ipv4, real.ipv4])
      await waitFor(
        () => withClient(path, async (ask) => (await ask("show protocols Node_10_0_0_3"))[1]?.includes("Passive")),
        { what: `the passive peer to wait at ${path}` },
      );
    expect(await say(starling.ipv4)).toEqual(await say(real.ipv4));
  });

  it("on a Calico node: names, states and routes as with Calico's own BIRD", async () => {
    const { ipv4, ipv6 } = await startCalicoNode(lab, `calico-${++attempts}`);
    const isReady = async (ask: Ask) =>
      (await readiness(ask, false)) === undefined && (await agentStatus(ask)).state === "Ready";
    await waitFor(() => withClient(ipv4, isReady), { what: "the mesh", timeout: 40_000 });
    await waitFor(() => withClient(ipv6, isReady), { what: "the mesh of IPv6", timeout: 20_000 });
    const table = await withClient(ipv4, (ask) => calicoctlTable(ask, 4));
    expect(table.map((line) => line.replace(/\d\d:\d\d:\d\d/, "TIME"))).toEqual([
      expect.stringMatching(/^10\.0\.0\.254 \| global \| start \| TIME \| (Active|Connect)/),
      "10.0.0.2 | node-to-node mesh | up | TIME | Established",
    ]);
    expect(await withClient(ipv6, (ask) => calicoctlTable(ask, 6))).toEqual([
      expect.stringMatching(/^fd00::2 \| node-to-node mesh \| up/),
    ]);
    const routes = await withClient(ipv4, routeStatus);
    const blackhole = { type: "FIB", gateway: "blackhole", interface: "N/A" };
    expect(routes).toContainEqual({ ...blackhole, destination: "10.244.0.0/26", learntFrom: "static" });
    expect(routes.find(({ destination }) => destination === "10.244.1.0/26")).toMatchObject({
      learntFrom: "Mesh_10_0_0_2",
    });
    const told = await withClient(ipv4, (ask) => ask("show route export Mesh_10_0_0_2 all"));
    expect(told.filter((line) => /^1007|local_pref/.test(line)).map((line) => line.trim())).toEqual([
      expect.stringMatching(/^1007-10\.244\.0\.0\/26 +blackhole \[static1 /),
      "BGP.local_pref: 2147482623",
    ]);
  });

  it("a graceful restart shows until the peers are back", async () => {
    const node = await lab.node(`restarted-${++attempts}`);
    const file = { ...starlingFile(node.folder), kernel: { enabled: false } };
    const daemon = new Starling(node, { asNumber: 64512, routerId: "10.0.0.1", peers: [] }, { file });
    await daemon.start();
    await daemon.kill();
    await daemon.start();
    await withClient(join(node.folder, "bird.ctl"), async (ask) => {
      expect(await readiness(ask, true)).toBe("graceful restart in progress");
      expect((await agentStatus(ask)).state).toBe("NotReady");
      expect(await ask("show status")).toContain("   Waiting for 5 protocols to recover");
    });
  });
});

/** What is left when times, counters, the order of rows and what starling says in docs/bird-socket.md to be otherwise are taken away. */
function formOf(command: string, lines: readonly string[]): string[] {
  const plain = lines.map((line) =>
    line
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, "DATE-AND-TIME")
      .replace(/\d\d:\d\d:\d\d/, "TIME")
      .replace(/(\d+)\/(\d+)$/, (text, _now, total) => (/timer:/.test(line) ? `N/${total}` : text))
      .replace(/^1000-BIRD .*/, "1000-BIRD VERSION")
      .replace(/ llgr-aware/, "")
      .replace(/(BGP +master +start +TIME +)(Active|Connect|Idle) .*/, "$1STATE")
      .replace(/^0002-.*/, "0002-Reading")
      .trimEnd(),
  );
  const kept = plain.filter((line) => !/Export (updates|withdraws):|Last error:|Connect delay/.test(line));
  if (!/^show (route|protocols( "|$)|static|interfaces)/.test(command)) return kept;
  return blocksOf(kept.slice(0, -1))
    .sort()
    .concat(kept.at(-1) ?? "");
}

/** Rows with what belongs to them, and without the codes, which say where in the list they stood. */
function blocksOf(lines: readonly string[]): string[] {
  const blocks: string[] = [];
  for (const line of lines) {
    const text = line.replace(/^(\d{4}-| )/, "");
    if (/^[\t ]/.test(text) && blocks.length > 0) blocks[blocks.length - 1] += `\n${text}`;
    else blocks.push(text);
  }
  return blocks;
}
