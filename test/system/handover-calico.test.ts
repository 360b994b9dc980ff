import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type CalicoNode, cluster, type Resource, writeResources } from "../../lab/calico/resources.ts";
import { Starling } from "../harness/daemons/starling.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

const INDICES = [1, 2, 3, 4] as const;
const nodeAddress = (i: number) => `10.0.0.${i}`;
const podAddress = (i: number) => `10.244.${i}.10`;
const calicoNode = (i: number): CalicoNode => ({
  name: `node-${i}`,
  address: nodeAddress(i),
  prefixLength: 24,
  block: `10.244.${i}.0/26`,
});
const nodes = INDICES.map(calicoNode);
const pools = ["10.244.0.0/16"];

const mesh = () => cluster(nodes, pools);
/** The first node reflects for all, as Calico's documentation has it. */
const reflected = (): Resource[] => [
  ...cluster(
    nodes.map((node, k) =>
      k === 0 ? { ...node, clusterId: "244.0.0.1", labels: { "route-reflector": "true" } } : node,
    ),
    pools,
  ),
  { kind: "BGPConfiguration", metadata: { name: "default" }, spec: { nodeToNodeMeshEnabled: false } },
  {
    kind: "BGPPeer",
    metadata: { name: "with-reflectors" },
    spec: { nodeSelector: "all()", peerSelector: "has(route-reflector)" },
  },
];

describe.skipIf(!canMakeNetworks())("a Calico cluster goes from the mesh to a reflector", () => {
  it("and back, by its resources alone: sessions with the reflector stay, and no packet is lost", async () => {
    await using lab = await Lab.create("calico-handover");
    const hosts = await lab.nodes("n1", "n2", "n3", "n4");
    await lab.bridge(
      "sw",
      hosts.map((node, k) => [node, `${nodeAddress(k + 1)}/24`] as const),
    );
    const path = writeResources(lab.folder, mesh());
    const daemons = hosts.map((node, k) => {
      const calico = { nodeName: `node-${k + 1}`, release: "3.33", datastore: { type: "file", path } };
      return new Starling(
        node,
        { asNumber: 64512, routerId: nodeAddress(k + 1), peers: [] },
        {
          file: {
            calico,
            kernel: { enabled: true },
            control: { socket: `${node.folder}/starling.sock`, birdSocket: false, bird6Socket: false },
          },
        },
      );
    });
    for (const [k, node] of hosts.entries()) await node.stub("pod0", `${podAddress(k + 1)}/32`);
    await Promise.all(daemons.map((daemon) => daemon.start()));
    const sessions = async () =>
      Promise.all(
        daemons.map(async (daemon) =>
          (await daemon.peers()).map(({ name, state, transitions }) => `${name} ${state} ${transitions}`),
        ),
      );
    const meshNames = (i: number) => INDICES.filter((to) => to !== i).map((to) => `Mesh_10_0_0_${to}`);
    const areUp = (namesOf: (i: number) => string[]) => async () => {
      const seen = await sessions();
      return INDICES.every((i) => {
        const names = namesOf(i);
        return (
          names.length === seen[i - 1]?.length &&
          names.every((name) => seen[i - 1]?.some((line) => line.startsWith(`${name} Established`)))
        );
      });
    };
    await waitFor(areUp(meshNames), { what: "the mesh", timeout: 40_000 });
    await waitFor(async () => (await hosts[0]?.pings(podAddress(4), podAddress(1))) === true, {
      what: "a first echo",
      timeout: 20_000,
    });
    await sleep(1000);
    const pings = hosts.flatMap((node, k) =>
      INDICES.filter((to) => to !== k + 1).map((to) =>
        node.spawn(["ping", "-n", "-i", "0.02", "-W", "1", "-I", podAddress(k + 1), podAddress(to)], `ping-${to}`),
      ),
    );
    await sleep(1000);
    writeResources(lab.folder, reflected());
    const toReflector = (i: number) => (i === 1 ? [2, 3, 4].map((to) => `Node_10_0_0_${to}`) : ["Node_10_0_0_1"]);
    await waitFor(areUp(toReflector), { what: "the reflector alone", timeout: 60_000 });
    expect((await sessions()).flat().every((line) => line.endsWith(" 1"))).toBe(true);
    await sleep(2000);
    writeResources(lab.folder, mesh());
    await waitFor(areUp(meshNames), { what: "the mesh again", timeout: 60_000 });
    await sleep(2000);
    let sent = 0;
    let lost = 0;
    for (const ping of pings) {
      await ping.stop("SIGINT");
      const [, out, back] = /(\d+) packets transmitted, (\d+) received/.exec(ping.output()) ?? [];
      sent += Number(out ?? 0);
      lost += Number(out ?? 0) - Number(back ?? 0);
    }
    console.log(`mesh to reflector and back by Calico's resources: ${sent} packets sent, ${lost} lost`);
    expect(sent).toBeGreaterThan(1000);
    expect(lost).toBe(0);
  });
});
