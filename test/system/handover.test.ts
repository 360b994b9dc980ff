import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Starling } from "../harness/daemons/starling.ts";
import type { LabNode } from "../harness/lab-node.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

const INDICES = [1, 2, 3, 4] as const;
const nodeAddress = (i: number) => `10.0.0.${i}`;
const podAddress = (i: number) => `10.244.${i}.1`;
const AS = 64512;
const timers = { connectRetry: "1s", idleHold: "1s" };

interface Member {
  readonly index: number;
  readonly node: LabNode;
  readonly starling: Starling;
}

const common = (to: number, i: number) => ({
  address: nodeAddress(to),
  localAddress: nodeAddress(i),
  asNumber: AS,
  timers,
});

/** As Calico names and arranges them. */
function meshPeers(i: number): object[] {
  return INDICES.filter((to) => to !== i).map((to) => ({
    ...common(to, i),
    name: `Mesh_10_0_0_${to}`,
    passive: nodeAddress(to) > nodeAddress(i),
  }));
}

/** The first node is the reflector. */
function reflectedPeers(i: number): object[] {
  if (i !== 1) return [{ ...common(1, i), name: "Node_10_0_0_1" }];
  return INDICES.slice(1).map((to) => ({ ...common(to, 1), name: `Node_10_0_0_${to}`, routeReflectorClient: true }));
}

async function cluster(lab: Lab): Promise<Member[]> {
  const nodes = await lab.nodes("n1", "n2", "n3", "n4");
  await lab.bridge(
    "sw",
    nodes.map((node, k) => [node, `${nodeAddress(k + 1)}/24`] as const),
  );
  const members = nodes.map((node, k) => {
    const index = k + 1;
    const spec = {
      asNumber: AS,
      routerId: nodeAddress(index),
      peers: [],
      kernel: true,
      routes: [{ prefix: `10.244.${index}.0/26` }],
    };
    return { index, node, starling: new Starling(node, spec, { file: { peers: meshPeers(index) } }) };
  });
  for (const { index, node } of members) await node.stub("pod0", `${podAddress(index)}/32`);
  await Promise.all(members.map(({ starling }) => starling.start()));
  await waitFor(async () => (await Promise.all(members.map(allUp))).every(Boolean), {
    what: "the mesh",
    timeout: 30_000,
  });
  return members;
}

async function allUp({ starling }: Member): Promise<boolean> {
  const peers = await starling.peers();
  return peers.length > 0 && peers.every(({ state }) => state === "Established");
}

/** Echo requests from each pod to each other, fifty a second. */
function packets(members: readonly Member[]) {
  return members.flatMap(({ index, node }) =>
    INDICES.filter((to) => to !== index).map((to) =>
      node.spawn(["ping", "-n", "-i", "0.02", "-W", "1", "-I", podAddress(index), podAddress(to)], `ping-${to}`),
    ),
  );
}

/** Sent and lost, in all. */
async function counted(pings: ReturnType<typeof packets>): Promise<{ sent: number; lost: number }> {
  let sent = 0;
  let lost = 0;
  for (const ping of pings) {
    await ping.stop("SIGINT");
    const found = /(\d+) packets transmitted, (\d+) received/.exec(ping.output());
    sent += Number(found?.[1] ?? 0);
    lost += Number(found?.[1] ?? 0) - Number(found?.[2] ?? 0);
  }
  return { sent, lost };
}

describe.skipIf(!canMakeNetworks())("four nodes go from a full mesh to a reflector among them", () => {
  it.each([
    ["the reflector first", [1, 2, 3, 4]],
    ["the reflector last", [4, 3, 2, 1]],
  ] as const)("and back, and lose no packet: %s", async (_name, order) => {
    await using lab = await Lab.create("handover");
    const members = await cluster(lab);
    await waitFor(async () => (await members[0]?.node.pings(podAddress(4), podAddress(1))) === true, {
      what: "a first echo",
    });
    await sleep(1000);
    const pings = packets(members);
    const monitors = members.map(({ node }) => node.spawn(["ip", "monitor", "route"], "monitor"));
    await sleep(1000);
    const change = async (peersOf: (i: number) => object[]) => {
      for (const i of order) {
        await members[i - 1]?.starling.reload({}, { file: { peers: peersOf(i) } });
        await sleep(700);
      }
    };
    await change(reflectedPeers);
    await waitFor(async () => (await members[3]?.starling.peers())?.length === 1, {
      what: "the mesh to be gone",
      timeout: 40_000,
    });
    await sleep(1500);
    expect((await Promise.all(members.map(allUp))).every(Boolean)).toBe(true);
    for (const { starling } of members)
      for (const { transitions, name } of await starling.peers()) expect([name, transitions]).toEqual([name, 1]);
    await change(meshPeers);
    await waitFor(async () => (await Promise.all(members.map(allUp))).every(Boolean), {
      what: "the mesh to be back",
      timeout: 40_000,
    });
    await sleep(1500);
    const { sent, lost } = await counted(pings);
    console.log(`mesh to reflector and back: ${sent} packets sent, ${lost} lost`);
    expect(sent).toBeGreaterThan(1000);
    expect(lost).toBe(0);
    // No route to a pod was taken out of any kernel for a moment.
    const deleted = monitors
      .flatMap((monitor) => monitor.output().split("\n"))
      .filter((line) => /^Deleted 10\.244\./.test(line));
    expect(deleted).toEqual([]);
  });
});
