/** The network of two racks: who stands where, at which addresses, and how the cables run. */

import type { LabNode } from "../../test/harness/lab-node.ts";
import type { Lab } from "../../test/harness/netns.ts";
import type { CalicoNode } from "../calico/resources.ts";
import { addPod, uplink } from "../topology.ts";

export const nodesAs = 64512;
export const pool = "10.244.0.0/16";
/** Of everything but pods: racks and the links between their switches. */
export const underlay = "10.0.0.0/16";
const felixMetric = 1024;

export interface Worker extends CalicoNode {
  readonly block: string;
  readonly podAddress: string;
}

/** A top-of-rack switch: one foot in its rack, one among the other racks' switches. */
export interface Switch {
  readonly name: string;
  readonly inRack: string;
  readonly acrossRacks: string;
}

export interface Rack {
  readonly number: number;
  readonly subnet: string;
  readonly switchesAs: number;
  readonly workers: readonly Worker[];
  readonly reflectors: readonly CalicoNode[];
  readonly switches: readonly Switch[];
}

export const racks: readonly Rack[] = [1, 2].map((number) => {
  const labels = { rack: String(number) };
  const inRack = (host: number) => `10.0.${number}.${host}`;
  return {
    number,
    subnet: `10.0.${number}.0/24`,
    switchesAs: 65000 + number,
    workers: [1, 2].map((i) => ({
      name: `node-${number}${i}`,
      address: inRack(10 + i),
      prefixLength: 24,
      block: `10.244.${number}${i}.0/26`,
      podAddress: `10.244.${number}${i}.10`,
      labels,
    })),
    reflectors: ["a", "b"].map((letter, i) => ({
      name: `reflector-${number}${letter}`,
      address: inRack(2 + i),
      prefixLength: 24,
      block: undefined,
      labels: { ...labels, reflector: "true" },
      clusterId: `244.0.0.${number}`,
    })),
    switches: ["a", "b"].map((letter, i) => ({
      name: `tor-${number}${letter}`,
      inRack: inRack(253 + i),
      acrossRacks: `10.0.0.${number}${i + 1}`,
    })),
  };
});

export const rackInterface = "rack";
export const spineInterface = "spine";

export const picture = `
                 +------------------ spine -------------------+
                 |          |                   |             |
               tor-1a     tor-1b              tor-2a        tor-2b        BIRD: AS 65001, AS 65002
                 |          |                   |             |
   rack 1  ------+-----+----+-------    --------+------+------+-----  rack 2
             |    |    |    |               |    |     |    |
         node-11  |    |  reflector-1a  node-21  |     |  reflector-2a   starling, AS 64512; cluster ids
             node-12  reflector-1b          node-22   reflector-2b       244.0.0.1 and 244.0.0.2

  A pod on each node.   Nodes peer with the reflectors and switches of their rack, reflectors with all reflectors.
`;

export interface RackNetwork {
  /** By name: nodes, reflectors, switches, pods. */
  readonly at: (name: string) => LabNode;
}

/** Everything but the daemons. */
export async function buildRacks(lab: Lab, progress: (text: string) => void): Promise<RackNetwork> {
  const made = new Map<string, LabNode>();
  const make = async (name: string) => {
    const node = await lab.node(name);
    made.set(name, node);
    return node;
  };
  const at = (name: string): LabNode => {
    const node = made.get(name);
    if (node === undefined) throw new RangeError(`no node is called ${name}`);
    return node;
  };
  const spine = await bridge(lab, "spine");
  for (const rack of racks) {
    progress(`rack ${rack.number}`);
    const middle = await bridge(lab, `rack-${rack.number}`);
    for (const { name, inRack, acrossRacks } of rack.switches) {
      const tor = await make(name);
      await join(lab, middle, tor, rackInterface, `${inRack}/24`);
      await join(lab, spine, tor, spineInterface, `${acrossRacks}/24`);
    }
    for (const { name, address, prefixLength } of [...rack.workers, ...rack.reflectors]) {
      await join(lab, middle, await make(name), uplink, `${address}/${prefixLength}`);
    }
    for (const { name, podAddress } of rack.workers) {
      const pod = await make(podOf(name));
      await addPod(lab, at(name), pod, { podInterface: `cali${name}`, podAddress }, felixMetric);
    }
    for (const { name } of rack.reflectors) await routeToOtherRacks(at(name), rack);
  }
  return { at };
}

export const podOf = (worker: string) => worker.replace("node", "pod");

async function bridge(lab: Lab, name: string): Promise<LabNode> {
  const home = await lab.node(name);
  await home.ip("link", "add", "name", "switch", "type", "bridge");
  await home.setLink("switch", "up");
  return home;
}

async function join(lab: Lab, middle: LabNode, member: LabNode, name: string, address: string): Promise<void> {
  await lab.link(middle, member, { interfaces: [member.name, name], addresses: [[], [address]] });
  await middle.ip("link", "set", "dev", member.name, "master", "switch");
}

/** A reflector writes no routes, so it has one of its administrator's: over both switches, or the one that answers. */
async function routeToOtherRacks(node: LabNode, { switches }: Rack): Promise<void> {
  const hops = switches.flatMap(({ inRack }) => ["nexthop", "via", inRack]);
  await node.exec(["sh", "-c", "echo 1 > /proc/sys/net/ipv4/fib_multipath_use_neigh"]);
  await node.ip("route", "add", underlay, "proto", "static", ...hops);
}
